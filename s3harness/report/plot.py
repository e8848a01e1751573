"""Small charts as SVG text: points with intervals, over a scale or in rows. No library, no script, no outside font.

Two kinds are enough here: :func:`line_chart` (a curve over x, with intervals) and :func:`row_chart` (one named row per
value, as a forest plot). Colours keep their order and are told apart by the colour-blind (Okabe and Ito).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from s3harness.files import write_text

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
INK, PALE, FONT = "#222222", "#c8c8c8", "font-family='sans-serif' font-size='12'"
WIDTH, LEFT, RIGHT, TOP, BOTTOM, ROW = 640, 70, 20, 40, 46, 22
HEIGHT = 420
NAME_WIDTH = 7.0
"""Pixels that a character of a row's name takes at most."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from ``low`` to ``high``, in logarithms if ``is_log``; ``mark`` is a value with a line of its own."""

    title: str
    low: float
    high: float
    is_log: bool = False
    mark: float | None = None

    def share(self, value: float) -> float:
        """Where a value lies, 0 at the low end and 1 at the high one; what lies beyond is put at the end."""
        low, high, at = (math.log(v) if self.is_log else v for v in (self.low, self.high, self._kept(value)))
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[float]:
        """About five round values."""
        if self.is_log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = _round_step((self.high - self.low) / 5)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _kept(self, value: float) -> float:
        return min(max(value, self.low), self.high)


@dataclass(frozen=True, slots=True)
class Point:
    """A value at ``x``, with its interval where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A named value, with its interval where it has one; ``series`` chooses the colour."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    series: int = 0


def line_chart(
    title: str, x: Scale, y: Scale, series: Sequence[tuple[str, Sequence[Point]]], *, diagonal: bool = False
) -> str:
    """Curves over a scale, each named at the top; ``diagonal`` draws the line from corner to corner."""

    def at(point_x: float, point_y: float) -> tuple[float, float]:
        return LEFT + x.share(point_x) * _INNER, HEIGHT - BOTTOM - y.share(point_y) * (HEIGHT - TOP - BOTTOM)

    parts = [_text(LEFT, 18, title, weight="bold"), *_grid(x, HEIGHT), *_y_grid(y)]
    if diagonal:
        parts.append(_line(*at(x.low, y.low), *at(x.high, y.high), PALE, "5 4"))
    for number, (name, points) in enumerate(series):
        colour, places = COLOURS[number % len(COLOURS)], [at(p.x, p.y) for p in points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.6'/>")
        for point, place in zip(points, places, strict=True):
            if point.low is not None and point.high is not None:
                parts.append(_line(*at(point.x, point.low), *at(point.x, point.high), colour))
            parts.append(_dot(*place, colour))
        parts.append(_text(LEFT + 150 * number, 33, f"● {name}", colour=colour))
    return _svg(HEIGHT, parts)


def row_chart(title: str, x: Scale, rows: Sequence[Row]) -> str:
    """One row per value, its interval as a line; a row without a value is named all the same."""
    height = TOP + ROW * max(len(rows), 1) + BOTTOM
    start = 14 + max((len(row.name) for row in rows), default=0) * NAME_WIDTH

    def at(value: float) -> float:
        return start + x.share(value) * (WIDTH - start - RIGHT)

    parts = [_text(14, 18, title, weight="bold"), *_grid(x, height, start)]
    for number, row in enumerate(rows):
        middle = TOP + ROW * (number + 0.5)
        colour = COLOURS[row.series % len(COLOURS)]
        parts.append(_text(start - 8, middle + 4, row.name, anchor="end"))
        if row.low is not None and row.high is not None:
            parts.append(_line(at(row.low), middle, at(row.high), middle, colour))
        parts.append(
            _text(at(x.low) + 4, middle + 4, "–") if row.value is None else _dot(at(row.value), middle, colour)
        )
    return _svg(height, parts)


def write_svg(path: Path, svg: str) -> None:
    """Write a chart whole or not at all."""
    write_text(path, svg)


_INNER = WIDTH - LEFT - RIGHT


def _svg(height: float, parts: Iterable[str]) -> str:
    size = f"width='{WIDTH}' height='{height:g}' viewBox='0 0 {WIDTH} {height:g}'"
    ground = "<rect width='100%' height='100%' fill='#ffffff'/>"
    return "\n".join([f"<svg xmlns='http://www.w3.org/2000/svg' {size} {FONT}>", ground, *parts, "</svg>", ""])


def _grid(x: Scale, height: float, start: float = LEFT) -> list[str]:
    """Upright lines with their values below, the mark, and the title of the axis."""
    bottom, width = height - BOTTOM, WIDTH - start - RIGHT
    parts = []
    for tick in x.ticks():
        place = start + x.share(tick) * width
        parts += [
            _line(place, TOP, place, bottom, "#ececec"),
            _text(place, bottom + 16, f"{tick:.4g}", anchor="middle"),
        ]
    if x.mark is not None:
        parts.append(
            _line(start + x.share(x.mark) * width, TOP, start + x.share(x.mark) * width, bottom, "#888888", "3 3")
        )
    return [
        *parts,
        _line(start, bottom, start + width, bottom, INK),
        _text(start + width, bottom + 34, x.title, anchor="end"),
    ]


def _y_grid(y: Scale) -> list[str]:
    parts = []
    for tick in y.ticks():
        place = HEIGHT - BOTTOM - y.share(tick) * (HEIGHT - TOP - BOTTOM)
        parts += [
            _line(LEFT, place, WIDTH - RIGHT, place, "#ececec"),
            _text(LEFT - 8, place + 4, f"{tick:.4g}", anchor="end"),
        ]
    turned = f"<g transform='translate(16 {TOP + 4}) rotate(-90)'>{_text(0, 0, y.title, anchor='end')}</g>"
    return [*parts, _line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, INK), turned]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:
    dashed = f" stroke-dasharray='{dashes}'" if dashes else ""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'{dashed}/>"


def _dot(x: float, y: float, colour: str) -> str:
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.6' fill='{colour}'/>"


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK, weight: str = "normal") -> str:
    style = f"text-anchor='{anchor}' fill='{colour}' font-weight='{weight}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(text)}</text>"


def _round_step(rough: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
