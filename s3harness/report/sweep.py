"""A sweep over settings: its tables on the terminal, and its chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from s3harness.analysis.sweep import Point, SweepSetting
from s3harness.report.plain_text import print_rows
from s3harness.report.plot import ChartPanel, PlotPoint, Scale, panel_chart
from s3harness.report.table import DISCLAIMER, number, task_title
from s3harness.types import Score

RATE, WINDOW, TRANSFORM = "frames a second", "window, s", "transform"
"""Titles of the x axis."""


def print_sweep(points: Sequence[Point]) -> None:
    """Print each task's score in each setting beside interval and floor, then each feature's balanced accuracy."""
    # Imported where it is needed: the chart is drawn without a terminal.
    import click

    print_rows([{"setting": p.setting.name, **_cells(score)} for p in points for score in p.tasks])
    rows = _feature_rows(points)
    if rows:
        click.echo("\nBalanced accuracy of each feature (95 % interval); a constant answer scores 0.5.")
        print_rows(rows)
    click.echo(f"\n{DISCLAIMER}")


def sweep_chart(points: Sequence[Point]) -> str:
    """Return the SVG of a sweep: a panel for each task, then one for each feature.

    Along x are the frames per second, or the windows where only one rate was run, or the transforms, by number, where
    only transforms differ. Bars are 95 % intervals, the dashed line is the floor.
    """
    x = _XAxis.of(points)
    panels: dict[str, dict[str, list[tuple[float, Score]]]] = {}
    for point in points:
        place, curve = x.place(point.setting), x.curve(point.setting)
        for title, score in _titled(point).items():
            if score.value is not None:
                panels.setdefault(title, {}).setdefault(curve, []).append((place, score))
    names = "".join(f"{number} {name}. " for number, name in enumerate(x.transforms, start=1))
    note = f"{names}Bars: 95 % intervals over patients. Dashed: the floor. {DISCLAIMER}"
    return panel_chart([_panel(title, x.title, curves) for title, curves in panels.items()], note)


@dataclass(frozen=True, slots=True)
class _XAxis:
    """The setting that stands along x; ``transforms`` are numbered along it, and empty where another setting does."""

    title: str
    transforms: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, points: Sequence[Point]) -> _XAxis:
        rates, windows = {point.setting.fps for point in points}, {point.setting.window_s for point in points}
        if len(rates) == len(windows) == 1 and len(points) > 1:
            return cls(TRANSFORM, tuple(dict.fromkeys(point.setting.transform for point in points)))
        return cls(WINDOW if len(rates) == 1 and len(points) > 1 else RATE)

    def place(self, setting: SweepSetting) -> float:
        if self.title == TRANSFORM:
            return self.transforms.index(setting.transform) + 1.0
        # 0 stands for the tasks' own rate or window, which differs from task to task.
        return (setting.window_s if self.title == WINDOW else setting.fps) or 0.0

    def curve(self, setting: SweepSetting) -> str:
        """Return the name of the curve that a setting belongs to: the settings that stay the same along it."""
        if self.title == TRANSFORM:
            return ""
        rate = f"{setting.fps:g} frames/s" if setting.fps and self.title == WINDOW else ""
        window = f"{setting.window_s:g} s windows" if setting.window_s and self.title == RATE else ""
        return " ".join(filter(None, (rate, window, setting.transform)))


def _panel(title: str, x_title: str, curves: dict[str, list[tuple[float, Score]]]) -> ChartPanel:
    places = sorted({x for dots in curves.values() for x, _ in dots})
    scores = [score for dots in curves.values() for _, score in dots]
    # Rates and windows are tried in multiples, which a logarithmic axis spaces evenly.
    is_log = places[0] > 0 and x_title != TRANSFORM
    pad = 1.15 if is_log else 1.0
    x = Scale(title=x_title, low=places[0] / pad, high=places[-1] * pad, is_log=is_log, labels=tuple(places))
    low, high = _range(scores)
    series = [
        (name, [_plot_point(place, score) for place, score in sorted(dots, key=lambda pair: pair[0])])
        for name, dots in curves.items()
    ]
    return ChartPanel(title, x, Scale(title="", low=low, high=high), series)


def _plot_point(x: float, score: Score) -> PlotPoint:
    interval = score.interval
    low, high = (interval.low, interval.high) if interval else (None, None)
    return PlotPoint(x, score.value or 0.0, low, high, score.floor)


def _range(scores: Sequence[Score]) -> tuple[float, float]:
    """Return 0 and 1 for proportions (−1 and 1 for signed ones), 0 and the largest number for scores with a unit."""
    if any(score.unit for score in scores):
        tops = [max(s.value or 0.0, s.floor or 0.0, s.interval.high if s.interval else 0.0) for s in scores]
        return 0.0, 1.05 * max(tops) or 1.0
    lows = [min(s.value or 0.0, s.interval.low if s.interval else 0.0) for s in scores]
    return (0.0, 1.0) if min(lows) >= 0 else (-1.0, 1.0)


def _titled(point: Point) -> dict[str, Score]:
    titled = {f"{task_title(score.task)}: {score.metric}": score for score in point.tasks}
    return titled | {name.replace("_", " "): score for name, score in _features(point).items()}


def _features(point: Point) -> dict[str, Score]:
    # The F1 of a feature depends on its prevalence, so that its balanced accuracy alone is compared between settings.
    return {score.metric: score for score in point.features if not score.metric.endswith("(F1)")}


def _cells(score: Score) -> dict[str, str]:
    return {
        "task and metric": f"{task_title(score.task)}: {score.metric}",
        "score": number(score.value, score.unit),
        "95 % interval": _interval(score),
        "floor": f"{number(score.floor)} {score.floor_name}",
        "answered": f"{round(score.coverage * score.n_items)}/{score.n_items}",
    }


def _feature_rows(points: Sequence[Point]) -> list[dict[str, str]]:
    by_setting = {point.setting.name: _features(point) for point in points}
    features = dict.fromkeys(name for scores in by_setting.values() for name in scores)
    return [
        {"feature": feature}
        | {
            setting: f"{number(s.value)} {_interval(s)}"
            for setting, scores in by_setting.items()
            if (s := scores[feature])
        }
        for feature in features
    ]


def _interval(score: Score) -> str:
    return f"{number(score.interval.low)}–{number(score.interval.high)}" if score.interval else "–"
