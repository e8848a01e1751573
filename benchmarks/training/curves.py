"""The curves of the recipe's stages, as SVG: ``python curves.py FOLDER --out FOLDER``.

Writes ``warm-up.svg``, ``sft.svg`` and ``grpo.svg`` from what the monitors of the stages noted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from s3harness.report.plot import PlotPoint, Scale, line_chart, write_svg

TASKS = {"Task 1": "s3/task1_features", "Task 3": "s3/task3_laterality"}
LOSS = "loss, nats a token"
SMOOTHED = 5
"""Steps of GRPO whose mean a point is: a step has the answers to 32 questions."""

Lines = Sequence[Mapping[str, Any]]
Series = Sequence[tuple[str, Sequence[PlotPoint]]]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
def main(folder: Path, out: Path) -> None:
    """Draw the stages whose directories are in FOLDER."""
    warm, signs, sides, tuned, rewarded = (
        _lines(folder / stage) for stage in ("warm", "signs", "sides", "tuned", "rewarded")
    )
    out.mkdir(parents=True, exist_ok=True)
    charts = {
        "warm-up": ("Warm-up of the vision", "mean AUROC", [("patients kept apart", _points(warm, "mean_auroc"))]),
        "sft": (
            "SFT",
            LOSS,
            _in_a_row({"Tasks 1 and 3": signs, "then Task 3": sides, "then both": tuned}),
        ),
        "grpo": (
            f"GRPO, means of {SMOOTHED} steps",
            "reward",
            [(name, _smoothed(rewarded, task)) for name, task in TASKS.items()],
        ),
    }
    for name, (title, measure, series) in charts.items():
        write_svg(out / f"{name}.svg", _chart(title, measure, series))
        click.echo(str(out / f"{name}.svg"))


def _lines(run: Path) -> Lines:
    return [json.loads(line) for line in (run / "training_log.jsonl").read_text(encoding="utf-8").splitlines()]


def _in_a_row(stages: Mapping[str, Lines]) -> Series:
    """The losses of stages of which each goes on where the one before it ended."""
    series, begun = [], 0
    for name, lines in stages.items():
        series.append((name, _points(lines, "loss", begun)))
        begun += lines[-1]["step"]
    return series


def _points(lines: Lines, name: str, begun: int = 0) -> Sequence[PlotPoint]:
    return [PlotPoint(begun + line["step"], line[name]) for line in lines if name in line]


def _smoothed(lines: Lines, task: str) -> Sequence[PlotPoint]:
    """Return the mean reward of a task over the steps, in which each answer counts the same."""
    rewards = [(line["step"], line["tasks"][task]) for line in lines if task in line.get("tasks", {})]
    points = []
    for end in range(SMOOTHED, len(rewards) + 1):
        window = [stats for _, stats in rewards[end - SMOOTHED : end]]
        n_answers = sum(stats["answers"] for stats in window)
        total = sum(stats["reward"] * stats["answers"] for stats in window)
        points.append(PlotPoint(rewards[end - 1][0], total / n_answers))
    return points


def _chart(title: str, measure: str, series: Series) -> str:
    every = [point for _, points in series for point in points]
    x = Scale(title="step", low=0, high=max(point.x for point in every))
    losses = [point.y for point in every]
    y = Scale(title=measure, low=min(losses), high=max(losses), is_log=measure == LOSS)
    return line_chart(title, x, y, series)


if __name__ == "__main__":
    main()
