"""``s3harness privacy``: what transforms hide, beside what is still scored through them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import s3harness

NONE = "none"
"""Nothing is hidden; a sweep calls it so too."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data set directory.")
@click.option("--transforms", default="", metavar="NAME,NAME,…", help="Which: none, NAME, NAME+NAME.")
@click.option("--sweep", type=click.Path(path_type=Path), help="The directory of a sweep over transforms.")
@click.option("--limit", type=click.IntRange(min=2), help="Only the first N videos.")
@click.option("--frames", type=click.IntRange(min=1), default=16, show_default=True, help="Pictures of each video.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where decoded frames are kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def privacy(
    data: Path, transforms: str, sweep: Path | None, limit: int | None, frames: int, cache: Path | None, as_json: bool
) -> None:
    """Measure what is left of faces, looks and voices through transforms, and print it beside the scores of a sweep.

    Faces are looked for by a detector that hides none. A patient is known again if the nearest of all other videos is
    of the same one, by pictures or by sound; a guess would be right as often as chance says. Whoever tries harder
    finds more.
    """
    from dataclasses import asdict

    from s3harness_privacy.measure import measure

    points = _points(sweep)
    names = [name.strip() for name in transforms.split(",") if name.strip()] or list(points) or [NONE]
    found = {name: measure(data, _parts(name), cache=cache, limit=limit, frames=frames) for name in names}
    rows = {name: asdict(hidden) for name, hidden in found.items()}
    if as_json:
        click.echo(json.dumps({name: {**row, "scores": points.get(name, [])} for name, row in rows.items()}, indent=1))
        return
    click.echo("\n".join(_table(rows, points)))
    click.echo("\nIn brackets 95 % intervals that resample patients. Research use, not a medical device.")


def _parts(name: str) -> list[str]:
    return [] if name == NONE else name.split("+")


def _points(sweep: Path | None) -> dict[str, list[Mapping[str, Any]]]:
    """Transform → the primary scores of its run in the sweep."""
    if sweep is None:
        return {}
    try:
        points = s3harness.parse_json((sweep / "sweep.json").read_text(encoding="utf-8"))
        return {point["setting"]["transform"]: point["tasks"] for point in points if point["setting"]["transform"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise s3harness.UsageError(
            f"{sweep}: no sweep over transforms can be read there; s3harness sweep --transforms none,NAME,… makes one"
        ) from error


def _table(rows: Mapping[str, Mapping[str, Any]], points: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """A table in Markdown, which can be read as it stands."""
    scored = next((of_point for of_point in points.values() if of_point), [])
    tasks = [
        f"{str(s['task']).rpartition('/')[2].removeprefix('task').replace('_', ' ')}: {s['metric']}" for s in scored
    ]
    header = ["shown through", "face found", "known by looks", "known by voice", *tasks]
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for name, row in rows.items():
        shares = [_share(row[measured]) for measured in ("face", "looks", "voice")]
        scores = [_score(score) for score in points.get(name, [])] or ["–"] * len(tasks)
        yield f"| {' | '.join([name, *shares, *scores])} |"


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "–"
    chance = f", chance {100 * share['chance']:.0f} %" if share["chance"] is not None else ""
    return f"{100 * share['value']:.0f} %{_interval(share['interval'], 100, 0)}{chance}"


def _score(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "–"
    places = 2 if abs(score["value"]) < 10 else 1
    return f"{score['value']:.{places}f}{_interval(score['interval'], 1, places)}"


def _interval(interval: Mapping[str, Any] | None, scale: float, places: int) -> str:
    return f" [{scale * interval['low']:.{places}f}–{scale * interval['high']:.{places}f}]" if interval else ""
