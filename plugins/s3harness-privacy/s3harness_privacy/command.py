"""``s3harness privacy``: the leakage through transforms, beside the scores of a sweep over them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import s3harness

NONE = "none"
"""The name of no transform, as in a sweep."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data set directory.")
@click.option(
    "--transforms",
    default="",
    metavar="NAME,NAME,…",
    help="Transforms to measure: none, NAME, NAME+NAME. Those of the sweep if absent.",
)
@click.option("--sweep", type=click.Path(path_type=Path), help="The directory of a sweep over transforms.")
@click.option("--limit", type=click.IntRange(min=2), help="Only the first N videos.")
@click.option("--frames", type=click.IntRange(min=1), default=16, show_default=True, help="Pictures of each video.")
@click.option("--cache", type=click.Path(path_type=Path), help="The directory for decoded frames.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def privacy(
    data: Path, transforms: str, sweep: Path | None, limit: int | None, frames: int, cache: Path | None, as_json: bool
) -> None:
    """Measure how many faces and patients are still recognised through transforms, beside the scores of a sweep.

    Faces are detected by another detector than the one that hides them. A patient is recognised if the nearest of all
    other videos, by pictures or by sound, is of the same patient; "chance" is how often a random guess is right. A
    more capable attacker recognises more.
    """
    # Imported here, as --help need not wait for OpenCV.
    from dataclasses import asdict

    from s3harness_privacy.leakage import measure_leakage

    scores = _sweep_scores(sweep)
    names = [name.strip() for name in transforms.split(",") if name.strip()] or list(scores) or [NONE]
    leakages = {
        name: measure_leakage(data, _transforms(name), cache=cache, limit=limit, n_frames=frames) for name in names
    }
    rows = {name: asdict(leakage) for name, leakage in leakages.items()}
    if as_json:
        click.echo(json.dumps({name: {**row, "scores": scores.get(name, [])} for name, row in rows.items()}, indent=1))
        return
    click.echo("\n".join(_table(rows, scores)))
    click.echo("\nIn brackets 95 % intervals that resample patients. Research use, not a medical device.")


def _transforms(name: str) -> list[str]:
    return [] if name == NONE else name.split("+")


def _sweep_scores(sweep: Path | None) -> dict[str, list[Mapping[str, Any]]]:
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


def _table(rows: Mapping[str, Mapping[str, Any]], scores: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """The lines of a table in Markdown."""
    # All points of a sweep have the same tasks, unless one failed and has none.
    with_scores = next((of_transform for of_transform in scores.values() if of_transform), [])
    tasks = [
        f"{str(s['task']).rpartition('/')[2].removeprefix('task').replace('_', ' ')}: {s['metric']}"
        for s in with_scores
    ]
    header = ["shown through", "face detected", "recognised by looks", "recognised by voice", *tasks]
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for name, row in rows.items():
        shares = [_share(row[measure]) for measure in ("face", "looks", "voice")]
        cells = [_score(score) for score in scores.get(name, [])] or ["–"] * len(tasks)
        yield f"| {' | '.join([name, *shares, *cells])} |"


def _share(share: Mapping[str, Any]) -> str:
    if share["value"] is None:
        return "–"
    chance = f", chance {100 * share['chance']:.0f} %" if share["chance"] is not None else ""
    return f"{100 * share['value']:.0f} %{_interval(share['interval'], 100, 0)}{chance}"


def _score(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "–"
    # Seizure-RQI and others go to 100, most metrics to 1.
    places = 2 if abs(score["value"]) < 10 else 1
    return f"{score['value']:.{places}f}{_interval(score['interval'], 1, places)}"


def _interval(interval: Mapping[str, Any] | None, scale: float, places: int) -> str:
    return f" [{scale * interval['low']:.{places}f}–{scale * interval['high']:.{places}f}]" if interval else ""
