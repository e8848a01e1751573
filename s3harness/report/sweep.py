"""The tables of a sweep on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.analysis.sweep import Point
from s3harness.report.plain import print_rows
from s3harness.report.table import DISCLAIMER, number, task_title
from s3harness.types import Score


def print_sweep(points: Sequence[Point]) -> None:
    """Print each task's score in each setting beside interval and floor, then each feature's balanced accuracy."""
    import click

    print_rows([{"setting": p.setting.name, **_cells(score)} for p in points for score in p.tasks])
    rows = _feature_rows(points)
    if rows:
        click.echo("\nBalanced accuracy of each feature (95 % interval); always the same answer has 0.5.")
        print_rows(rows)
    click.echo(f"\n{DISCLAIMER}")


def _cells(score: Score) -> dict[str, str]:
    return {
        "task and metric": f"{task_title(score.task)}: {score.metric}",
        "score": number(score.value, score.unit),
        "95 % interval": _interval(score),
        "floor": f"{number(score.floor)} {score.floor_name}",
        "answered": f"{round(score.coverage * score.n_items)}/{score.n_items}",
    }


def _feature_rows(points: Sequence[Point]) -> list[dict[str, str]]:
    by_name = {
        point.setting.name: {s.metric: s for s in point.features if not s.metric.endswith("(F1)")} for point in points
    }
    names = dict.fromkeys(name for scores in by_name.values() for name in scores)
    return [
        {"feature": feature}
        | {
            setting: f"{number(s.value)} {_interval(s)}"
            for setting, scores in by_name.items()
            if (s := scores[feature])
        }
        for feature in names
    ]


def _interval(score: Score) -> str:
    return f"{number(score.interval.low)}–{number(score.interval.high)}" if score.interval else "–"
