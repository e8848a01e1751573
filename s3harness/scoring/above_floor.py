"""Test of a score against its floor: paired, clustered by patient.

Two separate intervals, or a value beside a floor, are no test: model and floor answer the same items of the same
patients. Only the primary metric of a task is tested, as each further test would cost the others power.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from s3harness.stats import PatientSums, Ranked, difference_from_constant, holm
from s3harness.types import FloorTest, Interval, Score

ALPHA = 0.05
"""Corrected p-value below which a score is above its floor."""


def is_above_floor(score: Score) -> bool:
    """Return true if a score is significantly better than its floor.

    The one rule for every table, page and conclusion: the difference of the paired test (:attr:`.Score.floor_test`)
    is above 0, and its p-value, corrected over everything shown together, is below :data:`ALPHA`. A score without a
    corrected test, as a secondary metric is, is not called better.
    """
    test = score.floor_test
    return test is not None and test.difference > 0 and test.p_adjusted is not None and test.p_adjusted < ALPHA


def tested_against_floor(metric: Ranked, model: PatientSums, floor: PatientSums) -> FloorTest | None:
    """Test a model against its floor on the same items, patient by patient (:func:`.difference_from_constant`).

    ``model`` and ``floor`` are their sums of statistics, the floor's at its expectation where it draws lots. The floor
    is the best of several trivial answerers on these very items, so that the test is conservative: by chance the best
    of them is better here than it would be elsewhere, and the model has to beat that. Returns ``None`` where the
    difference is undefined.
    """
    paired = difference_from_constant(metric, model.beside(floor))
    # Undefined as where one class alone is left: then nothing can be tested.
    if not math.isfinite(paired.difference):
        return None
    sign = 1.0 if metric.higher_is_better else -1.0
    p_value = paired.p_value if math.isfinite(paired.p_value) else None
    # + 0.0 turns −0.0 into 0.0, which would be printed with its sign.
    return FloorTest(sign * paired.difference + 0.0, _turned(paired.interval, sign), p_value)


def corrected(scores: Iterable[Score]) -> list[Score]:
    """Return the scores with the p-values of their floor tests corrected, by Holm, over all of them.

    The scores are those shown together: the tasks of a run, or the tasks of several models.
    """
    uncorrected = list(scores)
    # NaN: Holm leaves these out, and keeps the others in their places.
    p_values = [math.nan if s.floor_test is None else _or_nan(s.floor_test.p_value) for s in uncorrected]
    return [_with_p(score, p) for score, p in zip(uncorrected, holm(p_values).tolist(), strict=True)]


def floor_test_line(mark: str, scores: Sequence[Score]) -> str:
    """Return the sentence under a table on what the mark of a score above its floor means; empty without a test."""
    tests = sum(score.floor_test is not None for score in scores)
    if not tests:
        return ""
    how = f"p < {ALPHA:g}, corrected by Holm" if tests > 1 else f"p < {ALPHA:g}"
    return f"{mark.strip()} above its floor: paired test of score − floor by patient, {how}."


def _with_p(score: Score, p_adjusted: float) -> Score:
    if score.floor_test is None:
        return score
    value = p_adjusted if math.isfinite(p_adjusted) else None
    return replace(score, floor_test=replace(score.floor_test, p_adjusted=value))


def _or_nan(p_value: float | None) -> float:
    return math.nan if p_value is None else p_value


def _turned(interval: Interval | None, sign: float) -> Interval | None:
    """Return the interval of a difference with the sign turned so that more is better; ``None`` if it has no ends."""
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return None
    # Turning the sign exchanges the ends.
    low, high = sorted((sign * interval.low, sign * interval.high))
    return replace(interval, low=low, high=high)
