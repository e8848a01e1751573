"""Spans of time: (start, end) in seconds, as the seizures of a recording are given and answered."""

from __future__ import annotations

import math
from collections.abc import Iterable

Span = tuple[float, float]


def spans_of(value: object) -> list[Span] | None:
    """Return the spans in a list of pairs of finite numbers that do not end before they begin, else ``None``."""
    if not isinstance(value, list | tuple):
        return None
    spans: list[Span] = []
    for pair in value:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(map(_is_finite, pair)) or pair[1] < pair[0]:
            return None
        spans.append((float(pair[0]), float(pair[1])))
    return spans


def union(spans: Iterable[Span], gap_s: float = 0.0) -> list[Span]:
    """Return the union of spans, ascending and disjoint; gaps of up to ``gap_s`` seconds are filled."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def within(spans: Iterable[Span], start_s: float, end_s: float) -> list[Span]:
    """Return the parts of spans that lie between two times; those of no length are left out."""
    cut = ((max(start, start_s), min(end, end_s)) for start, end in spans)
    return [(start, end) for start, end in cut if end > start]


def _is_finite(value: object) -> bool:
    # bool is an int in Python: True would be 1 s.
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
