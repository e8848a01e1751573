"""Task 4: onset and offset of a sign or of the seizure. Times are seconds from the start of the video.

A miss (no answer, or no finite number) costs the worst error that an answer could have made, the distance from the
truth to the far end of the window; an answer beyond the window costs no more than that. So no error is worse than a
miss and giving up never pays; neither do wrong units, which are as bad as misses. The middle of the window is never
further off than half the window, which makes it the trivial answer to beat.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from s3harness.metrics.base import Array, Bounds, Pair, safe_ratio
from s3harness.metrics.subjects import SubjectMeans

ONSET, OFFSET = "seizure_onset", "seizure_offset"
WORST_WITHOUT_WINDOW_S = 60.0
"""Cost of a miss where the reference has no window, seconds."""
_NUMBER = (int, float)


def boundary_mae(*, average: Literal["items", "subjects"] = "items", subject: str = "") -> SubjectMeans:
    """Return the mean absolute error in seconds, misses penalised. ``parts``: boundary → its mean."""
    return SubjectMeans(
        score=_penalised_error,
        average=average,
        subject=subject,
        higher_is_better=False,
        unit="s",
        bounds=(0.0, math.inf),
    )


def boundary_mae_answered(*, average: Literal["items", "subjects"] = "items", subject: str = "") -> SubjectMeans:
    """Return the mean absolute error in seconds of answered items; to be read with the coverage, never ranked by."""
    return SubjectMeans(
        score=_answered_error,
        average=average,
        subject=subject,
        higher_is_better=False,
        unit="s",
        bounds=(0.0, math.inf),
    )


def boundary_bias(*, average: Literal["items", "subjects"] = "items", subject: str = "") -> SubjectMeans:
    """Return the mean signed error of the answered items in seconds: above 0 is too late, below 0 too early."""
    return SubjectMeans(score=_signed_error, average=average, subject=subject, higher_is_better=False, unit="s")


def boundary_within(
    *, seconds: float = 2.0, average: Literal["items", "subjects"] = "items", subject: str = ""
) -> SubjectMeans:
    """Return the share of all items answered within ``seconds`` of the truth (inclusive); 0–1, a miss is outside."""

    def within(pair: Pair) -> float:
        error = _signed_error(pair)
        return float(error is not None and abs(error) <= seconds)

    return SubjectMeans(score=within, average=average, subject=subject)


@dataclass(frozen=True)
class IntervalIou:
    """Mean intersection over union of the seizure's interval per video; 0–1.

    Scored are the videos with items for both :data:`ONSET` and :data:`OFFSET` whose true interval has a length. An
    interval with an end missing, or that ends before it begins, overlaps nothing and scores 0.
    """

    higher_is_better: bool = True
    unit: str = ""
    by_video: ClassVar[bool] = True
    bounds: ClassVar[Bounds] = (0.0, 1.0)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the scored videos of each patient."""
        return {"": sums[:, 1]}

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (overlap, 1) at the pair of the onset, zeros elsewhere; shape (n, 2)."""
        # One row per video, at its onset: two would count the video twice.
        offsets = {pair.reference.video_id: pair for pair in pairs if pair.reference.subject == OFFSET}
        rows = np.zeros((len(pairs), 2))
        for row, pair in zip(rows, pairs, strict=True):
            if pair.reference.subject == ONSET and (offset := offsets.get(pair.reference.video_id)):
                row[:] = _overlap_row(pair, offset)
        return rows

    def value(self, totals: Array) -> Array:
        """Return the mean over videos."""
        return safe_ratio(totals[..., 0], totals[..., 1])

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return no parts."""
        return {}


def interval_iou() -> IntervalIou:
    """Return the mean intersection over union of the seizure's interval per video; 0–1."""
    return IntervalIou()


def seconds_answered(pair: Pair) -> float | None:
    """Return the answer in seconds, ``None`` where there is no finite number."""
    value = pair.prediction.value
    # bool is an int in Python: True would be 1 s.
    if not isinstance(value, _NUMBER) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)


def worst_error(pair: Pair) -> float:
    """Return the largest error that an answer within the window could have made, seconds."""
    # Without a window there is no far end to be wrong by.
    if pair.reference.window is None:
        return WORST_WITHOUT_WINDOW_S
    start, end = pair.reference.window
    return max(abs(_truth(pair) - start), abs(end - _truth(pair)))


def _truth(pair: Pair) -> float:
    return float(pair.reference.truth)  # type: ignore[arg-type]


def _signed_error(pair: Pair) -> float | None:
    answer = seconds_answered(pair)
    return None if answer is None else answer - _truth(pair)


def _answered_error(pair: Pair) -> float | None:
    error = _signed_error(pair)
    return None if error is None else abs(error)


def _penalised_error(pair: Pair) -> float:
    # Capped, so that an answer in milliseconds does not outweigh all others.
    error, worst = _signed_error(pair), worst_error(pair)
    return worst if error is None else min(abs(error), worst)


def _overlap_row(onset: Pair, offset: Pair) -> tuple[float, float]:
    """(overlap, 1), or zeros where the true interval has no length."""
    if _truth(offset) <= _truth(onset):
        return 0.0, 0.0
    start, end = seconds_answered(onset), seconds_answered(offset)
    # Counted, with 0: a video must not leave the mean because its answer is unusable.
    if start is None or end is None or end <= start:
        return 0.0, 1.0
    shared = min(end, _truth(offset)) - max(start, _truth(onset))
    union = max(end, _truth(offset)) - min(start, _truth(onset))
    return max(0.0, shared) / union, 1.0
