"""The curves of three training runs as one SVG: ``python curves.py WARM TUNED REWARDED --out curves.svg``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

WIDTH, HEIGHT, MARGIN = 300, 190, 42
COLOURS = ("#4c6ef5", "#e8590c", "#2b8a3e", "#862e9c")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One plot: its title, and curves by name."""

    title: str
    curves: Mapping[str, Points]


@click.command()
@click.argument("runs", nargs=3, type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
def main(runs: tuple[Path, Path, Path], out: Path) -> None:
    """Draw what the monitor noted of a warm-up, of SFT and of GRPO."""
    warm, tuned, rewarded = (_lines(run) for run in runs)
    panels = [
        Panel(
            "warm-up: mean AUROC of the signs", {"patients kept apart": _points(warm, lambda n: n.get("mean_auroc"))}
        ),
        Panel("SFT: loss, nats a token", {"training": _points(tuned, lambda n: n.get("loss"))}),
        Panel("GRPO: reward", {"mean of 5 steps": _smoothed(_points(rewarded, lambda n: n.get("reward")), 5)}),
    ]
    out.write_text(_svg(panels), encoding="utf-8")
    click.echo(str(out))


def _lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "monitor.jsonl").read_text(encoding="utf-8").splitlines()]


def _points(lines: Sequence[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], float | None]) -> Points:
    return [(float(line["step"]), found) for line in lines if (found := value(line)) is not None]


def _smoothed(points: Points, width: int) -> Points:
    """The mean of the last ``width`` points at each."""
    values = [y for _, y in points]
    return [(x, sum(values[max(0, i - width + 1) : i + 1]) / min(width, i + 1)) for i, (x, _) in enumerate(points)]


def _svg(panels: Sequence[Panel]) -> str:
    drawn = [f'<g transform="translate({i * WIDTH} 0)">{_panel(panel)}</g>' for i, panel in enumerate(panels)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(panels) * WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _panel(panel: Panel) -> str:
    every = [point for points in panel.curves.values() for point in points]
    (left, right), (low, high) = (_span([point[axis] for point in every]) for axis in (0, 1))

    def place(point: tuple[float, float]) -> str:
        x = MARGIN + (point[0] - left) / (right - left) * (WIDTH - MARGIN - 12)
        y = HEIGHT - 30 - (point[1] - low) / (high - low) * (HEIGHT - 60)
        return f"{x:.1f},{y:.1f}"

    lines = [f'<text x="{MARGIN}" y="16" font-weight="bold">{panel.title}</text>']
    for colour, (name, points) in zip(COLOURS, panel.curves.items(), strict=False):
        path = " ".join(map(place, points))
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}"><title>{name}</title></polyline>')
    for value, y in ((low, HEIGHT - 30), (high, 30)):
        lines.append(f'<text x="{MARGIN - 4}" y="{y + 4}" text-anchor="end">{value:.3g}</text>')
    for value, x in ((left, MARGIN), (right, WIDTH - 12)):
        lines.append(f'<text x="{x}" y="{HEIGHT - 12}" text-anchor="middle">{value:.0f}</text>')
    lines.append(f'<path d="M{MARGIN} 26V{HEIGHT - 28}H{WIDTH - 12}" fill="none" stroke="#868e96"/>')
    return "".join(lines)


def _span(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if max(values) > min(values) else (values[0] - 1, values[0] + 1)


if __name__ == "__main__":
    main()
