"""The charts of the report, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from s3harness.types import Score

WIDTH, HEIGHT = 220, 18
BINS = 21


def whisker(score: Score) -> str:
    """Score with its interval between floor and ceiling, as one line; what lies beyond them shows beyond them."""
    if score.value is None or score.floor is None or score.ceiling is None:
        return ""
    ends = [score.value, score.floor, score.ceiling]
    if score.interval:
        ends += [score.interval.low, score.interval.high]
    low, high = min(ends), max(ends)
    if high <= low:
        return ""

    def at(value: float) -> float:
        share = (value - low) / (high - low)
        return 6 + (share if score.higher_is_better else 1 - share) * (WIDTH - 12)

    middle = HEIGHT / 2
    parts = [f"<line class='axis' x1='6' x2='{WIDTH - 6}' y1='{middle}' y2='{middle}'/>"]
    parts += [_tick(at(score.floor), "floor"), _tick(at(score.ceiling), "ceiling")]
    if score.interval:
        left, right = sorted((at(score.interval.low), at(score.interval.high)))
        parts.append(f"<line class='interval' x1='{left:.1f}' x2='{right:.1f}' y1='{middle}' y2='{middle}'/>")
    parts.append(f"<circle class='value' cx='{at(score.value):.1f}' cy='{middle}' r='4'/>")
    label = f"score {score.value:.3g}, floor {score.floor:.3g}, ceiling {score.ceiling:.3g}"
    return f"<svg class='whisker' role='img' aria-label='{label}' viewBox='0 0 {WIDTH} {HEIGHT}'>{''.join(parts)}</svg>"


def difference_whisker(
    difference: float | None, low: float | None, high: float | None, *, higher_is_better: bool
) -> str:
    """A difference with its interval about 0, as one line; to the right the second is better."""
    if difference is None:
        return ""
    ends = [end for end in (difference, low, high) if end is not None]
    reach = max(map(abs, ends)) or 1.0

    def at(value: float) -> float:
        return WIDTH / 2 + (value if higher_is_better else -value) / reach * (WIDTH / 2 - 6)

    middle = HEIGHT / 2
    parts = [f"<line class='axis' x1='6' x2='{WIDTH - 6}' y1='{middle}' y2='{middle}'/>", _tick(WIDTH / 2, "zero")]
    if low is not None and high is not None:
        left, right = sorted((at(low), at(high)))
        parts.append(f"<line class='interval' x1='{left:.1f}' x2='{right:.1f}' y1='{middle}' y2='{middle}'/>")
    parts.append(f"<circle class='value' cx='{at(difference):.1f}' cy='{middle}' r='4'/>")
    label = f"difference {difference:+.3g}" + (f", {low:+.3g} to {high:+.3g}" if low is not None else "")
    return f"<svg class='whisker' role='img' aria-label='{label}' viewBox='0 0 {WIDTH} {HEIGHT}'>{''.join(parts)}</svg>"


def histogram(title: str, errors: Sequence[float]) -> str:
    """Signed errors in seconds, in bins of equal width about 0; the bars carry their counts."""
    if not errors:
        return ""
    reach = max(1.0, math.ceil(max(abs(error) for error in errors)))
    width = 2 * reach / BINS
    bins = [0] * BINS
    for error in errors:
        bins[min(BINS - 1, int((error + reach) / width))] += 1
    top = max(bins)
    bars = [
        f"<rect class='bar' x='{30 + i * 20}' y='{110 - 90 * n / top:.1f}' width='18' height='{90 * n / top:.1f}'>"
        f"<title>{-reach + i * width:.1f} to {-reach + (i + 1) * width:.1f} s: {n}</title></rect>"
        for i, n in enumerate(bins)
        if n
    ]
    ticks = [
        f"<text x='{30 + 20 * BINS * (0.5 + 0.5 * f):.0f}' y='126' text-anchor='middle'>{f * reach:+.0f} s</text>"
        for f in (-1, -0.5, 0, 0.5, 1)
    ]
    axis = f"<line class='axis' x1='30' x2='{30 + 20 * BINS}' y1='110' y2='110'/>"
    middle = 30 + 10 * BINS
    zero = f"<line class='floor' x1='{middle}' x2='{middle}' y1='14' y2='110'/>"
    label = escape(f"{title}: {len(errors)} errors between {min(errors):.1f} and {max(errors):.1f} s", quote=True)
    inner = "".join([axis, zero, *bars, *ticks])
    return f"<svg class='histogram' role='img' aria-label='{label}' viewBox='0 0 {60 + 20 * BINS} 132'>{inner}</svg>"


def _tick(x: float, kind: str) -> str:
    return f"<line class='{kind}' x1='{x:.1f}' x2='{x:.1f}' y1='2' y2='{HEIGHT - 2}'/>"
