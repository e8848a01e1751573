"""Curves of scores over sampling, as one SVG picture of small panels; drawn here, since they are lines and dots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from s3harness.analysis.sweep import Point, Setting
from s3harness.report.table import DISCLAIMER, number, task_title
from s3harness.types import Score

WIDTH, HEIGHT, COLUMNS = 250, 180, 4
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 30, 30
"""Room around a panel's axes, in pixels."""

RATE, WINDOW, TRANSFORM = "frames a second", "window, s", "transform"

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's, which people who cannot tell red from green tell apart."""

STYLE = (
    "text{font:11px sans-serif;fill:#222}.t{font-weight:bold}"
    ".a{stroke:#888;fill:none}.f{stroke:#888;stroke-dasharray:4 3}"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a panel: (x, score) by x; ``name`` is that of the setting which stays the same along it."""

    name: str
    dots: tuple[tuple[float, Score], ...]


def draw(points: Sequence[Point]) -> str:
    """The SVG of a sweep: a panel for each task, then one for each feature.

    Along x are the frames a second, or the windows where one rate was asked alone, or transforms, by number, where
    they are all that differs; bars are 95 % intervals, the dashed line is the floor.
    """
    panels = _panels(points)
    rows = math.ceil(len(panels) / COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for place, (title, curves) in enumerate(panels.items()):
        corner = (place % COLUMNS) * WIDTH, place // COLUMNS * HEIGHT
        parts.append(f'<g transform="translate{corner}">{_panel(title, curves, _x_name(points))}</g>')
    parts.append(_legend(next(iter(panels.values()), []), height - 14, _numbered(points)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panels(points: Sequence[Point]) -> dict[str, list[Curve]]:
    scored: dict[str, dict[str, list[tuple[float, Score]]]] = {}
    for point in points:
        named = {f"{task_title(score.task)}: {score.metric}": score for score in point.tasks}
        named |= {
            score.metric.replace("_", " "): score for score in point.features if not score.metric.endswith("(F1)")
        }
        x, along = _place(point.setting, points)
        for title, score in named.items():
            if score.value is not None:
                scored.setdefault(title, {}).setdefault(along, []).append((x, score))
    return {
        title: [Curve(name, tuple(sorted(dots, key=lambda dot: dot[0]))) for name, dots in curves.items()]
        for title, curves in scored.items()
    }


def _place(setting: Setting, points: Sequence[Point]) -> tuple[float, str]:
    """Where a setting is along x, and which curve it belongs to."""
    x_name = _x_name(points)
    if x_name == TRANSFORM:
        return _transforms(points).index(setting.transform) + 1.0, ""
    rate = f"{setting.fps:g} frames/s" if setting.fps and x_name == WINDOW else ""
    window = f"{setting.window_s:g} s windows" if setting.window_s and x_name == RATE else ""
    x = setting.window_s if x_name == WINDOW else setting.fps
    return x or 0.0, " ".join(filter(None, (rate, window, setting.transform)))


def _x_name(points: Sequence[Point]) -> str:
    """What is along x."""
    rates, windows = ({point.setting.fps for point in points}, {point.setting.window_s for point in points})
    if len(rates) == len(windows) == 1 and len(points) > 1:
        return TRANSFORM
    return WINDOW if len(rates) == 1 and len(points) > 1 else RATE


def _transforms(points: Sequence[Point]) -> list[str | None]:
    return list(dict.fromkeys(point.setting.transform for point in points))


def _panel(title: str, curves: Sequence[Curve], x_name: str) -> str:
    scores = [score for curve in curves for _, score in curve.dots]
    low, high = _range(scores)
    xs = sorted({x for curve in curves for x, _ in curve.dots})
    across = {x: LEFT + (WIDTH - LEFT - RIGHT) * (0.08 + 0.84 * _share(x, xs)) for x in xs}

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    parts = [
        f'<text class="t" x="{LEFT}" y="16">{escape(title)}</text>',
        f'<path class="a" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>',
        *(f'<text x="{LEFT - 4}" y="{up(v) + 4:.1f}" text-anchor="end">{number(v)}</text>' for v in (low, high)),
        *(f'<text x="{at:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{x:g}</text>' for x, at in across.items()),
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{x_name}</text>',
    ]
    for curve, colour in zip(curves, _cycled(len(curves)), strict=True):
        parts += _drawn(curve, colour, across, up)
    return "".join(parts)


def _drawn(curve: Curve, colour: str, across: Mapping[float, float], up: Callable[[float], float]) -> list[str]:
    dots = [(across[x], up(score.value or 0.0), score) for x, score in curve.dots]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in dots)
    floor = "L".join(f"{x:.1f} {up(score.floor):.1f}" for x, _, score in dots if score.floor is not None)
    parts = [f'<path d="M{line}" stroke="{colour}" fill="none"/>']
    parts += [f'<path class="f" d="M{floor}" fill="none"/>'] if floor else []
    for x, y, score in dots:
        if score.interval:
            parts.append(
                f'<path d="M{x:.1f} {up(score.interval.low):.1f}V{up(score.interval.high):.1f}" stroke="{colour}"/>'
            )
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
    return parts


def _range(scores: Sequence[Score]) -> tuple[float, float]:
    """0 to 1 for proportions, 0 to the largest number for what has a unit."""
    if any(score.unit for score in scores):
        tops = [max(s.value or 0.0, s.floor or 0.0, s.interval.high if s.interval else 0.0) for s in scores]
        return 0.0, 1.05 * max(tops) or 1.0
    lows = [min(s.value or 0.0, s.interval.low if s.interval else 0.0) for s in scores]
    return (0.0, 1.0) if min(lows) >= 0 else (-1.0, 1.0)


def _share(x: float, xs: Sequence[float]) -> float:
    """Where x lies between the smallest and the largest, on a logarithmic scale."""
    if xs[0] == xs[-1] or xs[0] <= 0:
        return 0.5
    return math.log(x / xs[0]) / math.log(xs[-1] / xs[0])


def _numbered(points: Sequence[Point]) -> str:
    """The transforms with the numbers that stand for them along x, if they do."""
    names = _transforms(points) if _x_name(points) == TRANSFORM else []
    return "".join(f"{number} {name}. " for number, name in enumerate(names, start=1))


def _legend(curves: Sequence[Curve], y: int, numbered: str) -> str:
    parts, x = [], LEFT
    for curve, colour in zip(curves, _cycled(len(curves)), strict=True):
        if curve.name:
            parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/>')
            parts.append(f'<text x="{x + 8}" y="{y}">{escape(curve.name)}</text>')
            x += 110
    told = f"{numbered}Bars: 95 % intervals over patients. Dashed: the floor. {DISCLAIMER}"
    parts.append(f'<text x="{x}" y="{y}">{escape(told)}</text>')
    return "".join(parts)


def _cycled(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]
