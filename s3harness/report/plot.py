"""Small charts as SVG text: points with intervals over a scale, in rows, or in panels. No library, script or font.

There are three kinds: :func:`line_chart` (curves over x), :func:`row_chart` (a forest plot, one named row per value)
and :func:`panel_chart` (a page of small line charts). They share one axis (:class:`Scale`), one palette
(:data:`COLOURS`) and the marks :func:`line`, :func:`dot` and :func:`text`, and so do the charts of the HTML pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from s3harness.files import write_text

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's palette, whose colours people who cannot tell red from green tell apart."""
INK, PALE, GRID, GREY = "#222222", "#c8c8c8", "#ececec", "#888888"
FONT = "font-family='sans-serif' font-size='12'"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 420, 70, 20, 40, 46
"""Pixels of a chart, and of the room around its axes."""
ROW = 22
NAME_WIDTH = 7.0
"""Pixels that a character of a row's name takes at most."""
LEGEND_WIDTH = 150
"""Pixels from one name in a legend to the next."""
PANELS_IN_A_ROW = 4
PANEL_WIDTH, PANEL_HEIGHT = 250, 190

Series = Sequence[tuple[str, Sequence["PlotPoint"]]]
"""Curves by name, in the order of the palette."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis from ``low`` to ``high``, logarithmic if ``is_log``.

    ``mark`` is a value with a line of its own. ``labels`` are the values to label; if empty, round ones are.
    """

    title: str
    low: float
    high: float
    is_log: bool = False
    mark: float | None = None
    labels: tuple[float, ...] = ()

    def share(self, value: float) -> float:
        """Return the position of a value, 0 at the low end and 1 at the high end; values beyond are put at the end."""
        clipped = min(max(value, self.low), self.high)
        low, high, at = (math.log(v) if self.is_log else v for v in (self.low, self.high, clipped))
        # A scale of one value alone has no length to divide by.
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> Sequence[float]:
        """Return the labels, else about five round values, or the powers of ten of a logarithmic scale."""
        if self.labels:
            return self.labels
        # 1e-9: rounding errors must not push a tick that lies on an end out of the axis.
        if self.is_log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = _round_step((self.high - self.low) / 5)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """A value at ``x``, with its interval and its floor where it has them."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class PlotRow:
    """A named value, with its interval where it has one; ``series`` chooses the colour."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    series: int = 0


@dataclass(frozen=True, slots=True)
class ChartPanel:
    """One chart of a page of small ones."""

    title: str
    x: Scale
    y: Scale
    series: Series


def line_chart(title: str, x: Scale, y: Scale, series: Series, *, diagonal: bool = False) -> str:
    """Return curves over a scale, each named at the top; ``diagonal`` draws the line from corner to corner."""
    box = _Box(LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)
    parts = [text(LEFT, 18, title, weight="bold"), *box.axes(x, y)]
    if diagonal:
        # Perfect calibration lies on this line.
        ends = (*box.place(x, y, x.low, y.low), *box.place(x, y, x.high, y.high))
        parts.append(line(*ends, stroke(PALE, "5 4")))
    parts += box.curves(x, y, series)
    parts += _legend(series, 33)
    return _svg(WIDTH, HEIGHT, parts)


def row_chart(title: str, x: Scale, rows: Sequence[PlotRow]) -> str:
    """Return one row per value, its interval as a line; a row without a value has its name and a dash."""
    height = TOP + ROW * max(len(rows), 1) + BOTTOM
    # The longest name decides, since SVG cannot measure text.
    start = 14 + max((len(row.name) for row in rows), default=0) * NAME_WIDTH
    box = _Box(start, TOP, WIDTH - RIGHT, height - BOTTOM)
    parts = [text(14, 18, title, weight="bold"), *box.x_axis(x)]
    for number, row in enumerate(rows):
        middle = TOP + ROW * (number + 0.5)
        colour = colour_of(row.series)
        parts.append(text(start - 8, middle + 4, row.name, anchor="end"))
        if row.low is not None and row.high is not None:
            parts.append(line(box.x_at(x, row.low), middle, box.x_at(x, row.high), middle, stroke(colour)))
        if row.value is None:
            parts.append(text(start + 4, middle + 4, "–"))
        else:
            parts.append(dot(box.x_at(x, row.value), middle, f"fill='{colour}'"))
    return _svg(WIDTH, height, parts)


def panel_chart(panels: Sequence[ChartPanel], note: str) -> str:
    """Return small line charts, four in a row, with one legend and a note below all."""
    rows = math.ceil(len(panels) / PANELS_IN_A_ROW)
    width, height = PANELS_IN_A_ROW * PANEL_WIDTH, rows * PANEL_HEIGHT + 60
    parts = []
    for place, panel in enumerate(panels):
        row, column = divmod(place, PANELS_IN_A_ROW)
        left, top = column * PANEL_WIDTH, row * PANEL_HEIGHT
        box = _Box(left + 52, top + 30, left + PANEL_WIDTH - 12, top + PANEL_HEIGHT - 46)
        parts.append(text(left + 52, top + 18, panel.title, weight="bold", css_class="t"))
        parts += [*box.axes(panel.x, panel.y), *box.curves(panel.x, panel.y, panel.series)]
    # All panels have the same curves in the same order, so that one legend serves all.
    parts += _legend(panels[0].series if panels else (), height - 34)
    parts.append(text(14, height - 14, note))
    return _svg(width, height, parts)


def write_svg(path: Path, svg: str) -> None:
    """Write a chart whole or not at all."""
    write_text(path, svg)


def colour_of(series: int) -> str:
    """Return the colour of a series; the palette begins again where it ends."""
    return COLOURS[series % len(COLOURS)]


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a straight line; ``style`` are its attributes, as :func:`stroke` or a CSS class gives them."""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' {style}/>"


def dot(x: float, y: float, style: str) -> str:
    """Return the mark of a value; ``style`` are its attributes."""
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.6' {style}/>"


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    colour: str = INK,
    weight: str = "normal",
    css_class: str = "",
) -> str:
    """Return a text whose base line begins, ends or has its middle (``anchor``) at a place."""
    style = f"text-anchor='{anchor}' fill='{colour}' font-weight='{weight}'" + (css_class and f" class='{css_class}'")
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(words)}</text>"


def stroke(colour: str, dashes: str = "") -> str:
    """Return the attributes of a line of one colour."""
    return f"stroke='{colour}'" + (f" stroke-dasharray='{dashes}'" if dashes else "")


@dataclass(frozen=True, slots=True)
class _Box:
    """The rectangle between the axes of a chart, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def x_at(self, x: Scale, value: float) -> float:
        return self.left + x.share(value) * (self.right - self.left)

    def y_at(self, y: Scale, value: float) -> float:
        # The y coordinate of SVG grows downwards.
        return self.bottom - y.share(value) * (self.bottom - self.top)

    def place(self, x: Scale, y: Scale, x_value: float, y_value: float) -> tuple[float, float]:
        return self.x_at(x, x_value), self.y_at(y, y_value)

    def axes(self, x: Scale, y: Scale) -> list[str]:
        return [*self.x_axis(x), *self.y_axis(y)]

    def x_axis(self, x: Scale) -> list[str]:
        """Return upright lines with their values below, the mark, and the title of the axis."""
        parts = []
        for tick in x.ticks():
            place = self.x_at(x, tick)
            parts += [
                line(place, self.top, place, self.bottom, stroke(GRID)),
                text(place, self.bottom + 16, f"{tick:.4g}", anchor="middle"),
            ]
        if x.mark is not None:
            place = self.x_at(x, x.mark)
            parts.append(line(place, self.top, place, self.bottom, stroke(GREY, "3 3")))
        return [
            *parts,
            line(self.left, self.bottom, self.right, self.bottom, stroke(INK)),
            text(self.right, self.bottom + 34, x.title, anchor="end"),
        ]

    def y_axis(self, y: Scale) -> list[str]:
        """Return level lines with their values to the left, and the title of the axis, turned."""
        parts = []
        for tick in y.ticks():
            place = self.y_at(y, tick)
            parts += [
                line(self.left, place, self.right, place, stroke(GRID)),
                text(self.left - 8, place + 4, f"{tick:.4g}", anchor="end"),
            ]
        parts.append(line(self.left, self.top, self.left, self.bottom, stroke(INK)))
        if y.title:
            turned = text(0, 0, y.title, anchor="end")
            parts.append(f"<g transform='translate({self.left - 54:g} {self.top + 4:g}) rotate(-90)'>{turned}</g>")
        return parts

    def curves(self, x: Scale, y: Scale, series: Series) -> list[str]:
        """Return each series as a curve with dots, intervals as upright lines, and its floor as a dashed line."""
        parts = []
        for number, (_, points) in enumerate(series):
            colour = colour_of(number)
            places = [self.place(x, y, p.x, p.y) for p in points]
            floors = [self.place(x, y, p.x, p.floor) for p in points if p.floor is not None]
            parts.append(_polyline(places, f"{stroke(colour)} stroke-width='1.6'"))
            parts += [_polyline(floors, stroke(GREY, "4 3"))] if floors else []
            for point, (across, up) in zip(points, places, strict=True):
                if point.low is not None and point.high is not None:
                    parts.append(
                        line(across, self.y_at(y, point.low), across, self.y_at(y, point.high), stroke(colour))
                    )
                parts.append(dot(across, up, f"fill='{colour}'"))
        return parts


def _polyline(places: Iterable[tuple[float, float]], style: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f"<polyline points='{path}' fill='none' {style}/>"


def _legend(series: Series, y: float) -> list[str]:
    return [
        text(LEFT + LEGEND_WIDTH * number, y, f"● {name}", colour=colour_of(number))
        for number, (name, _) in enumerate(series)
        if name
    ]


def _svg(width: float, height: float, parts: Iterable[str]) -> str:
    size = f"width='{width:g}' height='{height:g}' viewBox='0 0 {width:g} {height:g}'"
    # A white ground of its own, since viewers with a dark theme show transparent pictures on black.
    ground = "<rect width='100%' height='100%' fill='#ffffff'/>"
    return "\n".join([f"<svg xmlns='http://www.w3.org/2000/svg' {size} {FONT}>", ground, *parts, "</svg>", ""])


def _round_step(rough: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    # 10 stands last, since rounding may put 10 ** floor(log10(rough)) a power too low.
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
