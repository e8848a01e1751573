"""Statistics of scores whose items come in clusters: sums by patient, paired tests, multiplicity corrections, ranks.

Videos of one patient resemble each other, so the unit of everything here is the patient ("cluster"). A metric gives
every item a row of additive statistics (:mod:`s3harness.metrics.base`), and the rows of a patient are summed once:
a thousand resamples are then one product of a (resamples, patients) matrix of counts and a (patients, k) one of sums.
Intervals are those of :mod:`s3harness.confidence_intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from s3harness.confidence_intervals import (
    MIN_FREEDOM,
    MIN_PATIENTS,
    ROUNDING,
    Array,
    Formula,
    IntervalResult,
    class_shares,
    degrees_of_freedom,
    patient_interval,
    resampled_counts,
    standard_error,
    student_t,
    student_tail,
)
from s3harness.types import Interval

_ROWS_AT_ONCE = 1024
"""Rows in one cumulative sum, which bounds its memory."""


class Ranked(Formula, Protocol):
    """A metric with a direction."""

    @property
    def higher_is_better(self) -> bool:
        """Return whether a larger value is a better one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedTest:
    """The comparison of two systems on the same items: first minus second, its interval, and the two-sided p-value.

    ``note`` says why there is no interval, or that interval and test disagree. ``least_p`` is the smallest p-value that
    these patients allow: with n of them 2/2ⁿ, since the two systems may be exchanged with all patients at once.
    ``error`` is the standard error of the difference and ``freedom`` its degrees of freedom.
    """

    difference: float
    interval: Interval | None
    p_value: float
    note: str = ""
    least_p: float = float("nan")
    error: float = float("nan")
    freedom: float = float("nan")

    def smallest_detectable(self, *, alpha: float = 0.05, power: float = 0.8) -> float:
        """Return the smallest true difference that data like these would show with ``power``; NaN where none is.

        (t₁₋α/₂ + t_power) × standard error; ``alpha`` is the level of the single test, so that a correction for several
        tests divides it. NaN if no p-value of these patients can be as small as ``alpha``.
        """
        if not self.least_p <= alpha or not self.freedom >= MIN_FREEDOM:
            return float("nan")
        return (student_t(self.freedom, 1 - alpha / 2) + student_t(self.freedom, power)) * self.error


@dataclass(frozen=True, slots=True)
class RankInterval:
    """The rank of one system among several (1 is best, ties share their mean), and the ranks it might have had."""

    rank: float
    low: float
    high: float


def interval_of_rows(
    metric: Formula, rows: Array, clusters: ArrayLike, *, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> IntervalResult:
    """Return the confidence interval of a score, or the reason for none: :func:`.patient_interval` of the rows' sums.

    ``rows`` (n, k) are the metric's statistics of the items and ``clusters`` (n,) their patients.
    """
    return patient_interval(metric, cluster_sums(rows, clusters), resamples=resamples, seed=seed, level=level)


def paired_permutation(
    metric: Formula,
    rows_a: Array,
    rows_b: Array,
    clusters: ArrayLike,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
) -> PairedTest:
    """Test whether two systems differ on the same items, exchanging them patient by patient.

    Under the null hypothesis it does not matter which system gave a patient's answers. All ways to exchange are
    enumerated where they are no more than ``resamples``, else drawn (and the observed one added, so that p > 0). NaN
    where a score is undefined.
    """
    sums = cluster_sums(side_by_side(rows_a, rows_b), clusters)
    return paired_test_of_sums(metric, sums, resamples=resamples, seed=seed, level=level)


def paired_test_of_sums(
    metric: Formula,
    sums: Array,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    level: float = 0.95,
    interval_resamples: int = 2000,
) -> PairedTest:
    """Test as :func:`paired_permutation` does, from the sums by patient of both systems side by side (patients, 2k).

    The interval is made as that of a single score, and agrees with the test: where the test does not reject equality at
    the same level, the interval is extended to hold 0; where it rejects and the interval holds 0, ``note`` says so.
    """
    both = _Difference(metric)
    difference = float(both.value(sums.sum(axis=0)))
    if not len(sums) or not np.isfinite(difference):
        return PairedTest(difference=difference, interval=None, p_value=float("nan"))
    swapped, is_exact = _exchanges(len(sums), resamples, seed)
    # Rolling the columns by half of them puts the second system's sums in the place of the first's.
    shuffled = both.value((1.0 - swapped) @ sums + swapped @ np.roll(sums, sums.shape[1] // 2, axis=1))
    extreme = np.count_nonzero(np.abs(shuffled[np.isfinite(shuffled)]) >= abs(difference) - ROUNDING)
    # The observed assignment is among all ways already; to random ones it is added, or p could be 0.
    p_value = extreme / len(swapped) if is_exact else (extreme + 1) / (len(swapped) + 1)
    result = patient_interval(both, sums, resamples=interval_resamples, seed=seed, level=level)
    interval, note = _reconciled(both.possible(result), float(p_value), level)
    return PairedTest(
        difference=difference,
        interval=interval,
        p_value=float(p_value),
        note=note,
        least_p=2.0 / len(swapped) if is_exact else 1.0 / (len(swapped) + 1),
        error=standard_error(both, sums),
        freedom=both.freedom(sums),
    )


def difference_from_constant(
    metric: Formula, sums: Array, *, seed: int = 0, level: float = 0.95, resamples: int = 2000
) -> PairedTest:
    """Test a system against one that is no draw from a population, such as a constant answer or a coin.

    ``sums`` are by patient, both side by side (patients, 2k). Exchanging answers, as :func:`paired_test_of_sums` does,
    tests whether the two are interchangeable; a cautious reader and a coin are not, whatever their skill, so that such
    a test has little power. Here the difference is divided by its jackknife error and compared with Student's t, with
    the degrees of freedom that the rarest class allows. The p-value is NaN with too few patients for an interval, and
    never below the 2/2ⁿ of n patients; where all patients differ alike, as where one system is always right, n are
    those of the rarest class (sign test).
    """
    both = _Difference(metric)
    difference = float(both.value(sums.sum(axis=0)))
    if not len(sums) or not np.isfinite(difference):
        return PairedTest(difference=difference, interval=None, p_value=float("nan"))
    result = patient_interval(both, sums, resamples=resamples, seed=seed, level=level)
    error, freedom, least_p = standard_error(both, sums), both.freedom(sums), 2.0 ** (1 - len(sums))
    p_value = float("nan")
    if result.interval is not None:
        # Without error every ratio is infinite, but for a difference of 0.
        ratio = abs(difference) / error if error > ROUNDING else math.copysign(math.inf, abs(difference) - ROUNDING)
        p_value = max(least_p, min(1.0, 2.0 * student_tail(freedom, ratio)))
    # No interval, as all patients differ alike: only then does the sign test count every patient as one sign.
    elif error <= ROUNDING and freedom >= MIN_FREEDOM and len(sums) >= MIN_PATIENTS:
        p_value = _p_of_equal_differences(both, sums) if abs(difference) > ROUNDING else 1.0
    interval, note = _reconciled(both.possible(result), p_value, level)
    return PairedTest(
        difference=difference,
        interval=interval,
        p_value=p_value,
        note=note,
        least_p=least_p,
        error=error,
        freedom=freedom,
    )


def _p_of_equal_differences(both: _Difference, sums: Array) -> float:
    """Return the two-sided p of the sign test for as many patients as the rarest class has, all of one sign."""
    patients = min(int(np.count_nonzero(share)) for share in class_shares(both, sums).values())
    return float(2.0 ** (1 - patients))


def _reconciled(result: IntervalResult, p_value: float, level: float) -> tuple[Interval | None, str]:
    """Interval, extended to hold 0 where the test does not reject it, and a note where the two disagree."""
    interval = result.interval
    if interval is None:
        return None, result.note
    if p_value > 1 - level:
        return Interval(min(interval.low, 0.0), max(interval.high, 0.0), level), ""
    if interval.low <= 0.0 <= interval.high:
        return interval, "the test finds a difference, but its size is so uncertain that the interval holds 0"
    return interval, ""


def rank_intervals(
    metric: Ranked,
    rows: Mapping[str, Array],
    clusters: ArrayLike,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, RankInterval]:
    """Return the rank of each system, and the ranks it has when the patients are resampled (the same ones for all).

    Any rank is possible where the patients are too few for an interval.
    """
    stacked = np.concatenate(list(rows.values()), axis=1)
    sums = cluster_sums(stacked, clusters)
    # The metric may count none of the shared items: then all are equal, and nothing can be resampled.
    if not len(sums):
        return dict.fromkeys(rows, RankInterval((len(rows) + 1) / 2, 1.0, float(len(rows))))
    # Row 0 is the data itself, whose ranks are the ranks reported.
    counts = np.vstack([np.ones(len(sums)), *resampled_counts(len(sums), resamples, seed)])
    parts = np.split(sums, np.cumsum([part.shape[1] for part in rows.values()])[:-1], axis=1)
    scores = np.stack([metric.value(counts @ part) for part in parts], axis=1)
    ranks = _ranks(scores if metric.higher_is_better else -scores)
    low, high = np.quantile(ranks[1:], [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf")
    if degrees_of_freedom(class_shares(metric, parts[0])) < MIN_FREEDOM:
        low, high = np.ones(len(rows)), np.full(len(rows), float(len(rows)))
    columns = zip(rows, ranks[0], low, high, strict=True)
    return {name: RankInterval(*map(float, numbers)) for name, *numbers in columns}


def holm(p_values: ArrayLike) -> Array:
    """Return Holm's step-down adjustment of p-values: it keeps the family-wise error (Scand. J. Statistics 1979).

    A NaN stays NaN and does not count as a test; the same holds for :func:`benjamini_hochberg`.
    """
    return _adjusted(p_values, lambda p: np.maximum.accumulate(p * np.arange(len(p), 0, -1)))


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Return Benjamini and Hochberg's adjustment of p-values: it keeps the false discovery rate (JRSS B 1995)."""
    return _adjusted(p_values, lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1])


def cluster_sums(rows: Array, clusters: ArrayLike) -> Array:
    """Return the sums of the rows of each patient, (patients, k), by number, without patients whose sums are zeros."""
    sums = PatientSums()
    sums.add(rows, clusters)
    return sums.by_patient()


class PatientSums:
    """Accumulator of rows of statistics: the sums of each patient, and of all (``totals``).

    Rows are added one after the other, so that the sums do not depend, to the last bit, on how many come at a time.
    """

    def __init__(self) -> None:
        self.totals = np.zeros(0)
        self._sums: dict[int, Array] = {}

    def add(self, rows: Array, clusters: ArrayLike) -> None:
        """Add rows (n, k) of the patients ``clusters`` (n,); k may grow from one call to the next."""
        numbers, index = np.unique(np.asarray(clusters), return_inverse=True)
        if len(index) != len(rows):
            raise ValueError(f"{len(rows)} rows of statistics but {len(index)} patients: give each row its patient")
        self.totals = add_rows(self.totals, rows)
        patients = numbers.tolist()
        sums = _stacked([self._sums.get(number, self.totals[:0]) for number in patients], rows.shape[1])
        # np.add.at adds in the order of the rows, so that the sums are the same for batches of any size.
        np.add.at(sums, index, rows)
        self._sums |= {number: total.copy() for number, total in zip(patients, sums, strict=True)}

    def by_patient(self) -> Array:
        """Return the sums of each patient, (patients, k), by number, without patients whose sums are zeros."""
        sums = _stacked([self._sums[number] for number in sorted(self._sums)], len(self.totals))
        # A patient of unscored items alone would count as one that never moves the score.
        return sums[sums.any(axis=1)]

    def beside(self, other: PatientSums) -> Array:
        """Return the sums of both by patient, side by side and equally wide, (patients, 2k), without rows of zeros."""
        patients, width = sorted(self._sums | other._sums), max(len(self.totals), len(other.totals))
        halves = [_stacked([one._sums.get(n, one.totals[:0]) for n in patients], width) for one in (self, other)]
        sums = np.concatenate(halves, axis=1)
        return sums[sums.any(axis=1)]


def add_rows(totals: Array, rows: Array, weights: Array | None = None) -> Array:
    """Return totals (k,) plus rows (n, k), times their weights (n,), added one by one; the rows may be wider."""
    totals = _stacked([totals], rows.shape[1])[0]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        batch = slice(start, start + _ROWS_AT_ONCE)
        part = rows[batch] if weights is None else rows[batch] * weights[batch, None]
        # cumsum adds strictly in order, where numpy's sum adds pairwise and so by the size of the batch.
        totals = np.vstack([totals, part]).cumsum(axis=0)[-1]
    return totals


def _stacked(totals: Sequence[Array], width: int) -> Array:
    """Rows of n totals, which may be narrower, padded with zeros to (n, width)."""
    out = np.zeros((len(totals), width))
    for row, total in zip(out, totals, strict=True):
        row[: len(total)] = total
    return out


@dataclass(frozen=True, slots=True)
class _Difference:
    """The metric of a pair of systems: score of the first half of the columns minus score of the second."""

    metric: Formula

    def value(self, totals: Array) -> Array:
        first, second = np.split(totals, 2, axis=-1)
        return self.metric.value(first) - self.metric.value(second)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the items of each class by patient, if the metric has classes; both systems have the same items."""
        support = getattr(self.metric, "support", None)
        return support(np.split(sums, 2, axis=-1)[0]) if support else {}

    def possible(self, result: IntervalResult) -> IntervalResult:
        """Return the interval without differences that scores between the metric's bounds cannot have."""
        low, high = getattr(self.metric, "bounds", None) or (-math.inf, math.inf)
        if result.interval is None or not math.isfinite(high - low):
            return result
        interval, most = result.interval, high - low
        return IntervalResult(Interval(max(interval.low, -most), min(interval.high, most), interval.level), result.note)

    def freedom(self, sums: Array) -> float:
        """Return the degrees of freedom of the difference."""
        return degrees_of_freedom(class_shares(self, sums))


def side_by_side(rows_a: Array, rows_b: Array) -> Array:
    """Return rows of two systems on the same items, (n, k) each, as (n, 2k); :class:`ValueError` if shapes differ."""
    # Two metric objects may order their columns differently, even where the widths agree by chance.
    if rows_a.shape != rows_b.shape:
        raise ValueError(
            f"the two systems have statistics of shapes {rows_a.shape} and {rows_b.shape}: score both on "
            "the same items with the same metric object"
        )
    return np.concatenate([rows_a, rows_b], axis=1)


def _exchanges(n: int, resamples: int, seed: int) -> tuple[Array, bool]:
    """Masks of the patients that are exchanged, (ways, n) of 0 and 1, and whether these are all ways there are."""
    if 2**n <= resamples:
        return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.float64), True
    return np.random.default_rng(seed).integers(0, 2, size=(resamples, n)).astype(np.float64), False


def _ranks(scores: Array) -> Array:
    """Ranks along the last axis, 1 for the highest, ties sharing their mean; an undefined score comes last."""
    # Imported here: scipy.stats is slow to import, and few commands rank systems.
    from scipy.stats import rankdata

    return np.asarray(rankdata(-np.where(np.isfinite(scores), scores, -np.inf), axis=-1), dtype=np.float64)


def _adjusted(p_values: ArrayLike, adjust: Callable[[Array], Array]) -> Array:
    """Apply an adjustment of ascending p-values in the order given, at most 1, leaving NaN out."""
    values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    tests = np.flatnonzero(np.isfinite(values))
    order = tests[np.argsort(values[tests], kind="stable")]
    adjusted[order] = np.minimum(adjust(values[order]), 1.0)
    return adjusted
