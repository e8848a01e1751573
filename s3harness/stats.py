"""Uncertainty of scores whose items come in clusters: intervals, paired tests, corrections, ranks.

Videos of one patient resemble each other, so the unit of everything here is the patient ("cluster"). A metric gives
every item a row of additive statistics (:mod:`s3harness.metrics.base`), and the rows of a patient are summed once:
a thousand resamples are then one product of a (resamples, patients) matrix of counts and a (patients, k) one of sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from s3harness.types import Interval

Array = NDArray[np.float64]
Method = Literal["studentised", "percentile"]

_CHUNK = 1 << 18
"""Numbers held at once while patients are left out of resamples: 2 MiB, what the cache of a core holds."""
_DRAWN = 1 << 22
"""Numbers held at once while resamples are drawn: 32 MiB."""
_ADDED = 1024
"""Rows that are added at once."""
_ROUNDING = 1e-12
"""Differences closer than this are equal: sums of the same numbers in another order."""


class Formula(Protocol):
    """What is needed of a metric here."""

    def value(self, totals: Array) -> Array:
        """Scores of summed rows: (…, k) → (…)."""


class Ranked(Formula, Protocol):
    """A metric that says which way is better."""

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value is a better one."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two systems on the same items: first minus second, its interval, and the two-sided p-value."""

    difference: float
    interval: Interval | None
    p_value: float


@dataclass(frozen=True, slots=True)
class RankInterval:
    """The rank of one system among several (1 is best, ties share their mean), and the ranks it might have had."""

    rank: float
    low: float
    high: float


def patient_bootstrap(
    metric: Formula,
    rows: Array,
    clusters: ArrayLike,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "studentised",
) -> Interval | None:
    """Confidence interval of a score, resampling patients with replacement.

    ``rows`` (n, k) are the metric's statistics of the items and ``clusters`` (n,) their patients. "studentised" is the
    bootstrap-t (Efron and Tibshirani 1993, ch. 12) with the leave-one-patient-out jackknife as standard error, made
    wider by √(n / (n − 1)) for n patients (Hesterberg 2015), on either side no narrower than Student's t, and kept
    within the scores that resamples had: two dozen patients seldom hold the worst one there is. It then covers close
    to its level, where the "percentile" interval, the naive choice, covers too little. Returns ``None`` with fewer than
    two patients that have a scored item, or where the score is undefined on the items or on most resamples.
    """
    sums = cluster_sums(rows, clusters)
    return bootstrap_of_sums(metric, sums, resamples=resamples, seed=seed, level=level, method=method)


def bootstrap_of_sums(
    metric: Formula,
    sums: Array,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "studentised",
) -> Interval | None:
    """What :func:`patient_bootstrap` says of rows, of their sums by patient (patients, k), see :class:`PatientSums`."""
    score = metric.value(sums.sum(axis=0))
    if len(sums) < 2 or not np.isfinite(score):
        return None
    drawn = [_resampled(metric, sums, counts, method) for counts in _resampled_counts(len(sums), resamples, seed)]
    resampled, errors = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    if 2 * len(resampled) < resamples:
        return None
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(resampled, tails)
    if method == "studentised":
        low, high = _studentised(metric, sums, resampled, errors, tails)
    return Interval(float(low), float(high), level)


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
    where a score is undefined. The interval of the difference is the paired bootstrap's.
    """
    sums = cluster_sums(_side_by_side(rows_a, rows_b), clusters)
    return paired_test_of_sums(metric, sums, resamples=resamples, seed=seed, level=level)


def paired_test_of_sums(
    metric: Formula, sums: Array, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> PairedTest:
    """Test as :func:`paired_permutation` does, from the sums by patient of both systems side by side (patients, 2k)."""
    both = _Difference(metric)
    difference = float(both.value(sums.sum(axis=0)))
    if not len(sums) or not np.isfinite(difference):
        return PairedTest(difference, None, float("nan"))
    interval = bootstrap_of_sums(both, sums, seed=seed, level=level)
    swapped, is_exact = _exchanges(len(sums), resamples, seed)
    shuffled = both.value((1.0 - swapped) @ sums + swapped @ np.roll(sums, sums.shape[1] // 2, axis=1))
    extreme = np.count_nonzero(np.abs(shuffled[np.isfinite(shuffled)]) >= abs(difference) - _ROUNDING)
    p_value = extreme / len(swapped) if is_exact else (extreme + 1) / (len(swapped) + 1)
    return PairedTest(difference, interval, float(p_value))


def standard_error(metric: Formula, rows: Array, clusters: ArrayLike) -> float:
    """Standard error of a score by the leave-one-patient-out jackknife; NaN with fewer than two patients."""
    sums = cluster_sums(rows, clusters)
    if len(sums) < 2:
        return float("nan")
    return float(_jackknife(metric, sums, np.ones((1, len(sums))))[0])


def smallest_detectable_difference(
    metric: Formula,
    rows_a: Array,
    rows_b: Array,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
    power: float = 0.8,
) -> float:
    """The smallest true difference between two systems that data like these would show, with the given power.

    (t₁₋α/₂ + t_power) × standard error of the paired difference, t with patients − 1 degrees of freedom.
    """
    rows = _side_by_side(rows_a, rows_b)
    freedom = max(len(cluster_sums(rows, clusters)) - 1, 1)
    errors = _student_t(freedom, (1 + level) / 2) + _student_t(freedom, power)
    return float(errors * standard_error(_Difference(metric), rows, clusters))


def rank_intervals(
    metric: Ranked,
    rows: Mapping[str, Array],
    clusters: ArrayLike,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, RankInterval]:
    """The rank of each system, and where it lands when the patients are drawn again (the same ones for all)."""
    stacked = np.concatenate(list(rows.values()), axis=1)
    sums = cluster_sums(stacked, clusters)
    counts = np.vstack([np.ones(len(sums)), *_resampled_counts(len(sums), resamples, seed)])
    parts = np.split(sums, np.cumsum([part.shape[1] for part in rows.values()])[:-1], axis=1)
    scores = np.stack([metric.value(counts @ part) for part in parts], axis=1)
    ranks = _ranks(scores if metric.higher_is_better else -scores)
    low, high = np.quantile(ranks[1:], [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf")
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


def _side_by_side(rows_a: Array, rows_b: Array) -> Array:
    if rows_a.shape != rows_b.shape:
        raise ValueError(
            f"the two systems have statistics of shapes {rows_a.shape} and {rows_b.shape}: score both on "
            "the same items with the same metric object"
        )
    return np.concatenate([rows_a, rows_b], axis=1)


def _resampled_counts(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each of n patients is drawn in each resample, some of (resamples, n) at a time."""
    generator, step = np.random.default_rng(seed), max(1, _DRAWN // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        yield generator.multinomial(n, np.full(n, 1.0 / n), size=size).astype(np.float64)


def _resampled(metric: Formula, sums: Array, counts: Array, method: Method) -> tuple[Array, Array]:
    """Scores of the resamples that have one, and where need be their standard errors."""
    scores = metric.value(counts @ sums)
    defined = np.isfinite(scores)
    return scores[defined], _jackknife(metric, sums, counts[defined]) if method == "studentised" else np.zeros(0)


def _studentised(metric: Formula, sums: Array, resampled: Array, errors: Array, tails: Array) -> tuple[float, float]:
    """Limits of the bootstrap-t; the percentile limits where the jackknife sees no variation."""
    score = float(metric.value(sums.sum(axis=0)))
    error = float(_jackknife(metric, sums, np.ones((1, len(sums))))[0])
    deviations = resampled - score
    if not error > 0:
        low, high = np.quantile(resampled, tails)
        return float(low), float(high)
    distant = np.where(np.abs(deviations) > _ROUNDING, np.copysign(np.inf, deviations), 0.0)
    ratios = np.divide(deviations, errors, out=distant, where=errors > _ROUNDING)
    upper, lower = np.quantile(ratios, tails, method="inverted_cdf")
    wider, student = math.sqrt(len(sums) / (len(sums) - 1)), _student_t(len(sums) - 1, tails[1])
    least, most = resampled.min(), resampled.max()
    below, above = error * max(lower * wider, student), error * max(-upper * wider, student)
    low, high = np.clip([score - below, score + above], least, most)
    return float(min(low, score)), float(max(high, score))


def _student_t(freedom: int, share: float) -> float:
    """The quantile of Student's t; not of scipy.stats, whose import takes longer than scoring a task."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def _jackknife(metric: Formula, sums: Array, counts: Array) -> Array:
    """Standard error of the score of each resample, (resamples, n) → (resamples,), each drawn patient left out once."""
    step = max(1, _CHUNK // max(1, sums.size))
    parts = [_jackknife_part(metric, sums, counts[i : i + step]) for i in range(0, len(counts), step)]
    return np.concatenate(parts) * np.sqrt((len(sums) - 1) / len(sums)) if parts else np.zeros(0)


def _jackknife_part(metric: Formula, sums: Array, counts: Array) -> Array:
    """Root of the sum of squares of the leave-one-out scores about their mean; undefined scores are left out."""
    resample, patient = np.nonzero(counts)
    scores = metric.value((counts @ sums)[resample] - sums[patient])
    weights = np.where(np.isfinite(scores), counts[resample, patient], 0.0)
    scores = np.where(weights > 0, scores, 0.0)

    def total(values: Array) -> Array:
        return np.bincount(resample, weights * values, minlength=len(counts)).astype(np.float64)

    mean = total(scores) / np.maximum(total(np.ones_like(scores)), 1.0)
    return np.sqrt(total((scores - mean[resample]) ** 2))


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
