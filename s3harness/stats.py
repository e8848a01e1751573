"""Uncertainty of scores whose items come in clusters: sums by patient, paired tests, corrections, ranks.

Videos of one patient resemble each other, so the unit of everything here is the patient ("cluster"). A metric gives
every item a row of additive statistics (:mod:`s3harness.metrics.base`), and the rows of a patient are summed once:
a thousand resamples are then one product of a (resamples, patients) matrix of counts and a (patients, k) one of sums.
Intervals are those of :mod:`s3harness.intervals`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from s3harness.intervals import (
    FEWEST,
    FEWEST_PATIENTS,
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

_ADDED = 1024
"""Rows that are added at once."""


class Ranked(Formula, Protocol):
    """A metric that says which way is better."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is a better one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedTest:
    """Two systems on the same items: first minus second, its interval, and the two-sided p-value.

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
        """The smallest true difference that data like these would show with the given power; NaN where none is.

        (t₁₋α/₂ + t_power) × standard error; ``alpha`` is the level of the single test, so that a correction for several
        tests divides it. NaN if no p-value of these patients is so small.
        """
        if not self.least_p <= alpha or not self.freedom >= FEWEST:
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
    """Confidence interval of a score, or the reason why there is none: :func:`.patient_interval` of the rows' sums.

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

    The interval is as honest as that of a score, and agrees with the test: where the test does not reject equality at
    the same level, the interval is extended to hold 0; where it rejects and the interval holds 0, ``note`` says so.
    """
    both = _Difference(metric)
    difference = float(both.value(sums.sum(axis=0)))
    if not len(sums) or not np.isfinite(difference):
        return PairedTest(difference=difference, interval=None, p_value=float("nan"))
    swapped, is_exact = _exchanges(len(sums), resamples, seed)
    shuffled = both.value((1.0 - swapped) @ sums + swapped @ np.roll(sums, sums.shape[1] // 2, axis=1))
    extreme = np.count_nonzero(np.abs(shuffled[np.isfinite(shuffled)]) >= abs(difference) - ROUNDING)
    p_value = extreme / len(swapped) if is_exact else (extreme + 1) / (len(swapped) + 1)
    result = patient_interval(both, sums, resamples=interval_resamples, seed=seed, level=level)
    interval, note = _agreeing(both.possible(result), float(p_value), level)
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
    asks whether the two are interchangeable; a cautious reader and a coin are not, whatever their skill, so that it
    finds little. Here the difference is divided by its jackknife error and held against Student's t, with the degrees
    of freedom that the rarest class allows. The p-value is NaN with too few patients for an interval, and never below
    the 2/2ⁿ of n patients; where all patients differ alike, as where one is always right, n are those of the rarest
    class (sign test).
    """
    both = _Difference(metric)
    difference = float(both.value(sums.sum(axis=0)))
    if not len(sums) or not np.isfinite(difference):
        return PairedTest(difference=difference, interval=None, p_value=float("nan"))
    result = patient_interval(both, sums, resamples=resamples, seed=seed, level=level)
    error, freedom, least_p = standard_error(both, sums), both.freedom(sums), 2.0 ** (1 - len(sums))
    p_value = float("nan")
    if result.interval is not None:
        ratio = abs(difference) / error if error > ROUNDING else math.copysign(math.inf, abs(difference) - ROUNDING)
        p_value = max(least_p, min(1.0, 2.0 * student_tail(freedom, ratio)))
    elif error <= ROUNDING and freedom >= FEWEST and len(sums) >= FEWEST_PATIENTS:
        p_value = _p_of_equal_differences(both, sums) if abs(difference) > ROUNDING else 1.0
    interval, note = _agreeing(both.possible(result), p_value, level)
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


def _agreeing(result: IntervalResult, p_value: float, level: float) -> tuple[Interval | None, str]:
    """The interval, extended to hold 0 where the test does not reject it, and a word where they disagree."""
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
    """The rank of each system, and where it lands when the patients are drawn again (the same ones for all).

    Any rank is possible where too few patients carry an interval.
    """
    stacked = np.concatenate(list(rows.values()), axis=1)
    sums = cluster_sums(stacked, clusters)
    counts = np.vstack([np.ones(len(sums)), *resampled_counts(len(sums), resamples, seed)])
    parts = np.split(sums, np.cumsum([part.shape[1] for part in rows.values()])[:-1], axis=1)
    scores = np.stack([metric.value(counts @ part) for part in parts], axis=1)
    ranks = _ranks(scores if metric.higher_is_better else -scores)
    low, high = np.quantile(ranks[1:], [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf")
    if not len(sums) or degrees_of_freedom(class_shares(metric, parts[0])) < FEWEST:
        low, high = np.ones(len(rows)), np.full(len(rows), float(len(rows)))
    columns = zip(rows, ranks[0], low, high, strict=True)
    return {name: RankInterval(*map(float, numbers)) for name, *numbers in columns}


def holm(p_values: ArrayLike) -> Array:
    """Holm's step-down adjustment: p-values that keep the family-wise error (Scandinavian J. Statistics 1979).

    A NaN stays NaN and does not count as a test; the same holds for :func:`benjamini_hochberg`.
    """
    return _adjusted(p_values, lambda p: np.maximum.accumulate(p * np.arange(len(p), 0, -1)))


def benjamini_hochberg(p_values: ArrayLike) -> Array:
    """Benjamini and Hochberg's adjustment: p-values that keep the false discovery rate (J. R. Statist. Soc. B 1995)."""
    return _adjusted(p_values, lambda p: np.minimum.accumulate((p * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1])


def cluster_sums(rows: Array, clusters: ArrayLike) -> Array:
    """Sums of the rows of each patient, (patients, k), in the order of their numbers, less those that are all zeros."""
    sums = PatientSums()
    sums.add(rows, clusters)
    return sums.by_patient()


class PatientSums:
    """Rows of statistics added up, some at a time: of each patient, and of all (``totals``).

    They are added one after the other, so that the sums do not depend, to the last bit, on how many come at a time.
    """

    def __init__(self) -> None:
        self.totals = np.zeros(0)
        self._sums: dict[int, Array] = {}

    def add(self, rows: Array, clusters: ArrayLike) -> None:
        """Add rows (n, k) of the patients ``clusters`` (n,); k may grow from one call to the next."""
        numbers, index = np.unique(np.asarray(clusters), return_inverse=True)
        if len(index) != len(rows):
            raise ValueError(f"{len(rows)} rows of statistics but {len(index)} patients: give each row its patient")
        self.totals = added(self.totals, rows)
        met = numbers.tolist()
        sums = _stacked([self._sums.get(number, self.totals[:0]) for number in met], rows.shape[1])
        np.add.at(sums, index, rows)
        self._sums |= {number: total.copy() for number, total in zip(met, sums, strict=True)}

    def by_patient(self) -> Array:
        """Sums of each patient, (patients, k), in the order of their numbers, less those that are all zeros."""
        sums = _stacked([self._sums[number] for number in sorted(self._sums)], len(self.totals))
        return sums[sums.any(axis=1)]

    def beside(self, other: PatientSums) -> Array:
        """Sums of both by patient, side by side and equally wide, (patients, 2k), less those that are all zeros."""
        patients, width = sorted(self._sums | other._sums), max(len(self.totals), len(other.totals))
        halves = [_stacked([one._sums.get(n, one.totals[:0]) for n in patients], width) for one in (self, other)]
        sums = np.concatenate(halves, axis=1)
        return sums[sums.any(axis=1)]


def added(totals: Array, rows: Array, weights: Array | None = None) -> Array:
    """Totals (k,) with rows (n, k), times their weights (n,), added one after the other; the rows may be wider."""
    totals = _stacked([totals], rows.shape[1])[0]
    for start in range(0, len(rows), _ADDED):
        some = slice(start, start + _ADDED)
        part = rows[some] if weights is None else rows[some] * weights[some, None]
        totals = np.vstack([totals, part]).cumsum(axis=0)[-1]
    return totals


def _stacked(totals: Sequence[Array], width: int) -> Array:
    """(n, width) of n totals, which may be narrower."""
    out = np.zeros((len(totals), width))
    for row, total in zip(out, totals, strict=True):
        row[: len(total)] = total
    return out


@dataclass(frozen=True, slots=True)
class _Difference:
    """Score of the first half of the columns minus score of the second."""

    metric: Formula

    def value(self, totals: Array) -> Array:
        first, second = np.split(totals, 2, axis=-1)
        return self.metric.value(first) - self.metric.value(second)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Items of each class by patient, if the metric tells; the items of both systems are the same."""
        support = getattr(self.metric, "support", None)
        return support(np.split(sums, 2, axis=-1)[0]) if support else {}

    def possible(self, result: IntervalResult) -> IntervalResult:
        """Return the interval without differences that scores between the metric's bounds cannot have."""
        low, high = getattr(self.metric, "bounds", None) or (-math.inf, math.inf)
        if result.interval is None or not math.isfinite(high - low):
            return result
        given, most = result.interval, high - low
        return IntervalResult(Interval(max(given.low, -most), min(given.high, most), given.level), result.note)

    def freedom(self, sums: Array) -> float:
        """Degrees of freedom of the difference."""
        return degrees_of_freedom(class_shares(self, sums))


def side_by_side(rows_a: Array, rows_b: Array) -> Array:
    """Rows of two systems on the same items, (n, k) each, as (n, 2k); :class:`ValueError` if their shapes differ."""
    if rows_a.shape != rows_b.shape:
        raise ValueError(
            f"the two systems have statistics of shapes {rows_a.shape} and {rows_b.shape}: score both on "
            "the same items with the same metric object"
        )
    return np.concatenate([rows_a, rows_b], axis=1)


def _exchanges(n: int, resamples: int, seed: int) -> tuple[Array, bool]:
    """Which of n patients are exchanged, (ways, n) of 0 and 1, and whether these are all ways there are."""
    if 2**n <= resamples:
        return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(np.float64), True
    return np.random.default_rng(seed).integers(0, 2, size=(resamples, n)).astype(np.float64), False


def _ranks(scores: Array) -> Array:
    """Ranks along the last axis, 1 for the highest, ties sharing their mean; an undefined score comes last."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(-np.where(np.isfinite(scores), scores, -np.inf), axis=-1), dtype=np.float64)


def _adjusted(p_values: ArrayLike, adjust: Callable[[Array], Array]) -> Array:
    """Apply an adjustment of ascending p-values in the order given, at most 1, leaving NaN out."""
    given = np.asarray(p_values, dtype=np.float64)
    out = np.full(given.shape, np.nan)
    tests = np.flatnonzero(np.isfinite(given))
    order = tests[np.argsort(given[tests], kind="stable")]
    out[order] = np.minimum(adjust(given[order]), 1.0)
    return out
