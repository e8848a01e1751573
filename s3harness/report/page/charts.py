"""The charts of the HTML pages, as SVG text: the axis and marks of :mod:`s3harness.report.plot`, coloured by CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from s3harness.report.plot import Scale, dot, line, text
from s3harness.types import Interval, Score

WIDTH, HEIGHT = 220, 18
EDGE = 6
"""Pixels left free at both ends of a whisker, for the mark of a value that lies at an end."""
FOREST_WIDTH, FOREST_LOW = 340, -0.5
"""Pixels of a forest plot's axis, and the skill at its left end; worse ones are shown as an arrow."""
BINS = 21
"""Bins of a histogram; an odd number puts the middle of one at 0."""
_BIN_WIDTH, _LEFT, _TOP, _BASE = 20, 30, 20, 110
_AXIS = "class='axis'"


def whisker(score: Score) -> str:
    """Return a score with its interval between floor and ceiling, as one line; better is to the right."""
    if score.value is None or score.floor is None or score.ceiling is None:
        return ""
    ends = [score.value, score.floor, score.ceiling]
    if score.interval:
        ends += [score.interval.low, score.interval.high]
    scale = Scale(title="", low=min(ends), high=max(ends))
    # Floor and ceiling are the same where the items leave nothing to be better at.
    if scale.high <= scale.low:
        return ""
    label = f"score {score.value:.3g}, floor {score.floor:.3g}, ceiling {score.ceiling:.3g}"
    ticks = {"floor": score.floor, "ceiling": score.ceiling}
    return _whisker(scale, score.value, score.interval, ticks, label, higher_is_better=score.higher_is_better)


def forest_row(score: Score, readers: float | None = None) -> str:
    """Return the skill of a score with its interval on the axis that all rows of a forest plot share.

    ``readers`` is the mean score of human readers, a diamond. A value beyond the axis stands at its end, as an arrow.
    """
    skill = score.skill
    if skill is None:
        return ""
    scale = Scale(title="", low=FOREST_LOW, high=1.0)

    def x(number: float) -> float:
        return EDGE + scale.share(number) * (FOREST_WIDTH - 2 * EDGE)

    middle = HEIGHT / 2
    parts = [line(EDGE, middle, FOREST_WIDTH - EDGE, middle, _AXIS)]
    parts += [line(x(at), 0, x(at), HEIGHT, f"class='{kind}'") for kind, at in (("floor", 0.0), ("ceiling", 1.0))]
    label = f"skill {skill:.2f}"
    if score.interval:
        ends = [score.skill_at(end) for end in (score.interval.low, score.interval.high)]
        # An interval about the ceiling, as of a signed error, has its best value inside.
        low, high = min(end for end in ends if end is not None), max(end for end in ends if end is not None)
        parts.append(line(x(low), middle, x(high), middle, "class='interval'"))
        label += f", interval {low:.2f} to {high:.2f}"
    human = None if readers is None else score.skill_at(readers)
    if human is not None:
        at = x(human)
        parts.append(f"<path class='readers' d='M{at:.1f} 2l7 7l-7 7l-7 -7z'/>")
        label += f", readers {human:.2f}"
    if skill < FOREST_LOW:
        parts.append(f"<path class='value' d='M{EDGE} {middle}l9 -5v10z'/>")
    else:
        parts.append(dot(x(skill), middle, "class='value'"))
    return _forest(label, "".join(parts), HEIGHT)


def forest_axis() -> str:
    """Return the labels of the axis of :func:`forest_row`."""
    scale = Scale(title="", low=FOREST_LOW, high=1.0)
    labels = {FOREST_LOW: f"{FOREST_LOW:g}".replace("-", "−"), 0.0: "floor", 0.5: "0.5", 1.0: "ceiling"}
    anchors = {FOREST_LOW: "start", 1.0: "end"}
    ticks = [
        text(EDGE + scale.share(at) * (FOREST_WIDTH - 2 * EDGE), 12, name, anchor=anchors.get(at, "middle"))
        for at, name in labels.items()
    ]
    return _forest("skill, from the floor to the ceiling", "".join(ticks), 16)


def _forest(label: str, inner: str, height: int) -> str:
    return f"<svg class='forest' role='img' aria-label='{label}' viewBox='0 0 {FOREST_WIDTH} {height}'>{inner}</svg>"


def difference_whisker(
    difference: float | None, low: float | None, high: float | None, *, higher_is_better: bool
) -> str:
    """Return a difference with its interval about 0, as one line; to the right the second is better."""
    if difference is None:
        return ""
    # Two equal systems differ by 0 throughout; any length of axis will do.
    reach = max(abs(end) for end in (difference, low, high) if end is not None) or 1.0
    interval = Interval(low, high) if low is not None and high is not None else None
    label = f"difference {difference:+.3g}" + (f", {interval.low:+.3g} to {interval.high:+.3g}" if interval else "")
    scale = Scale(title="", low=-reach, high=reach)
    return _whisker(scale, difference, interval, {"zero": 0.0}, label, higher_is_better=higher_is_better)


def histogram(title: str, errors: Sequence[float]) -> str:
    """Return signed errors in seconds, in bins of equal width about 0; each bar carries its count."""
    if not errors:
        return ""
    # At least a second to each side: bins of a fraction of a frame would show noise.
    reach = max(1.0, math.ceil(max(abs(error) for error in errors)))
    scale = Scale(title="", low=-reach, high=reach)
    bins = [0] * BINS
    for error in errors:
        # An error at the upper end belongs to the last bin.
        bins[min(BINS - 1, int(BINS * scale.share(error)))] += 1
    counts = Scale(title="", low=0, high=max(bins))
    right = _LEFT + _BIN_WIDTH * BINS

    def x(seconds: float) -> float:
        return _LEFT + scale.share(seconds) * (right - _LEFT)

    bars = [
        f"<rect class='bar' x='{_LEFT + i * _BIN_WIDTH}' y='{_BASE - height:.1f}' width='{_BIN_WIDTH - 2}' "
        f"height='{height:.1f}'><title>{_bin(i, reach)}: {n}</title></rect>"
        for i, n in enumerate(bins)
        if n and (height := counts.share(n) * (_BASE - _TOP))
    ]
    ticks = [text(x(f * reach), 126, f"{f * reach:+.0f} s", anchor="middle") for f in (-1, -0.5, 0, 0.5, 1)]
    axis = line(_LEFT, _BASE, right, _BASE, _AXIS)
    zero = line(x(0.0), 14, x(0.0), _BASE, "class='floor'")
    label = escape(f"{title}: {len(errors)} errors between {min(errors):.1f} and {max(errors):.1f} s", quote=True)
    inner = "".join([axis, zero, *bars, *ticks])
    return f"<svg class='histogram' role='img' aria-label='{label}' viewBox='0 0 {right + 30} 132'>{inner}</svg>"


def _whisker(
    scale: Scale,
    value: float,
    interval: Interval | None,
    ticks: dict[str, float],
    label: str,
    *,
    higher_is_better: bool,
) -> str:
    """Return the line of a value; ``ticks`` are upright marks by their CSS class."""

    def x(number: float) -> float:
        share = scale.share(number)
        return EDGE + (share if higher_is_better else 1 - share) * (WIDTH - 2 * EDGE)

    middle = HEIGHT / 2
    parts = [line(EDGE, middle, WIDTH - EDGE, middle, _AXIS)]
    parts += [line(x(place), 2, x(place), HEIGHT - 2, f"class='{kind}'") for kind, place in ticks.items()]
    if interval:
        left, right = sorted((x(interval.low), x(interval.high)))
        parts.append(line(left, middle, right, middle, "class='interval'"))
    parts.append(dot(x(value), middle, "class='value'"))
    return f"<svg class='whisker' role='img' aria-label='{label}' viewBox='0 0 {WIDTH} {HEIGHT}'>{''.join(parts)}</svg>"


def _bin(number: int, reach: float) -> str:
    width = 2 * reach / BINS
    return f"{-reach + number * width:.1f} to {-reach + (number + 1) * width:.1f} s"
