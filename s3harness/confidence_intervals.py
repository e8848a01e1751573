"""Confidence intervals of scores whose items come in clusters: videos of one patient resemble each other.

The unit of everything here is the patient. A metric gives every item a row of additive statistics
(:mod:`s3harness.metrics.base`); the functions here take the sums of each patient's rows, shape (patients, k).

The degrees of freedom of the variance (:func:`degrees_of_freedom`) decide which interval is given. Under
:data:`MIN_FREEDOM` there is no interval but a reason. From :data:`BOOTSTRAP_FREEDOM` on patients are resampled. In
between, where the bootstrap covers too little, the variance is the jackknife's and the limits are Student's, with a
score-type interval for a score that has a lowest and a highest value. ``benchmarks/intervals.py`` measures the coverage
of all three.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from s3harness.types import Interval

Array = NDArray[np.float64]
Method = Literal["studentised", "percentile"]

MIN_PATIENTS = 6
"""Patients below which no interval is given: with five, no exchange of answers has a p-value of 0.05 either."""
MIN_FREEDOM = 3.0
"""Degrees of freedom below which no interval is given: limits of Student's t beyond 3.2 standard errors say nothing."""
BOOTSTRAP_FREEDOM = 20.0
"""Degrees of freedom from which patients are resampled: with fewer the bootstrap-t covers less than its level."""
PRIOR_PATIENTS = 1.0
"""Patients that the greatest possible variance counts as at most, beside those that make the observed one."""
_TRUSTED_CONTRIBUTORS = 3.0
"""Effective number of patients in a variance from which the observed variance is used without a prior."""
_MAX_LOG_HALF_WIDTH = 2.0
"""Relative half-width beyond which limits on the logarithm, which suit skewed errors, run away."""
_DOMINANT_SHARE = 0.3
"""Share of a class from which the note names the part that one patient has in it."""
_JACKKNIFE_NUMBERS = 1 << 18
"""Numbers held at once while patients are left out of resamples: 2 MiB, what the cache of a core holds."""
_RESAMPLE_NUMBERS = 1 << 22
"""Numbers held at once while resamples are drawn: 32 MiB."""
ROUNDING = 1e-12
"""Differences closer than this are equal: sums of the same numbers in another order."""


class Formula(Protocol):
    """The part of a metric that intervals need.

    ``support`` and ``bounds`` are used as well where a metric has them, see :class:`s3harness.metrics.base.Metric`.
    """

    def value(self, totals: Array) -> Array:
        """Scores of summed rows: (…, k) → (…)."""


@dataclass(frozen=True, slots=True)
class IntervalResult:
    """A confidence interval, or ``None`` and the reason (``note``), worded to follow "No interval: "."""

    interval: Interval | None
    note: str = ""


def patient_interval(
    metric: Formula, sums: Array, *, resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> IntervalResult:
    """Return the confidence interval of a score from the sums by patient (patients, k), or the reason for none.

    The interval is never of zero width: where a metric with ``bounds`` is as good as can be with every patient, the
    limits are those of Wilson's score interval for as many trials as there are patients (J. Am. Stat. Assoc. 1927). The
    same ``seed`` gives the same interval.
    """
    score = float(metric.value(sums.sum(axis=0)))
    if not math.isfinite(score):
        return IntervalResult(None)
    if len(sums) < 2:
        return IntervalResult(None, "all items come from one patient")
    shares = class_shares(metric, sums)
    influences = score - metric.value(sums.sum(axis=0) - sums)
    # Where a single patient holds all items of a needed class, the jackknife has no variance to estimate.
    if not np.isfinite(influences).all():
        return IntervalResult(None, _too_few(shares, "the score is undefined without one of them"))
    if (freedom := degrees_of_freedom(shares)) < MIN_FREEDOM or len(sums) < MIN_PATIENTS:
        return IntervalResult(None, _too_few(shares))
    summary = _JackknifeSummary(
        score=score,
        influences=influences,
        freedom=freedom,
        trials=_trials(shares),
        classes=len(shares),
        bounds=_bounds(metric, score),
    )
    if (limits := summary.limits(level)) is None:
        return IntervalResult(None, summary.reason)
    # The wider of the two on either side: resampling may widen the jackknife's interval, never narrow it.
    if freedom >= BOOTSTRAP_FREEDOM and (
        resampled := bootstrap(metric, sums, resamples=resamples, seed=seed, level=level)
    ):
        limits = min(limits[0], resampled.low), max(limits[1], resampled.high)
    return IntervalResult(Interval(*limits, level))


def degrees_of_freedom(shares: Mapping[str, Array]) -> float:
    """Return the degrees of freedom of a variance between patients, Satterthwaite's less one; at least 0.

    Satterthwaite, Biometrics Bulletin 1946. ``shares`` are each patient's share in the items of each class,
    (patients,), which adds up to 1. A patient with share h of a class adds h² to the variance of its mean if all items
    of a patient have the same outcome, and h/G if they have nothing in common, G being Kish's effective number of
    patients; the middle of the two is taken. Classes add up, so that the few patients of a rare class, or one who holds
    half of the items, leave few degrees.
    """
    # How alike the items of a patient are is not known, so that the middle of "equal" and "unrelated" is taken.
    parts = [(share**2 + share * np.sum(share**2)) / 2 for share in shares.values()]
    variances = np.sum(parts, axis=0)
    return float(max(0.0, variances.sum() ** 2 / np.sum(variances**2) - 1.0))


def standard_error(metric: Formula, sums: Array) -> float:
    """Return the standard error of a score by the leave-one-patient-out jackknife; NaN with fewer than two patients."""
    if len(sums) < 2:
        return float("nan")
    return float(_jackknife(metric, sums, np.ones((1, len(sums))))[0])


def bootstrap(
    metric: Formula,
    sums: Array,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    method: Method = "studentised",
) -> Interval | None:
    """Return the confidence interval by resampling patients with replacement, for many patients.

    "studentised" is the bootstrap-t (Efron and Tibshirani 1993, ch. 12) with the leave-one-patient-out jackknife as
    standard error, made wider by √(n / (n − 1)) for n patients (Hesterberg 2015), on either side no narrower than
    Student's t, and kept within the scores that resamples had. "percentile" is the naive choice, which covers too
    little. Returns ``None`` with fewer than two patients, or where the score is undefined on the items or on most
    resamples.
    """
    score = metric.value(sums.sum(axis=0))
    if len(sums) < 2 or not np.isfinite(score):
        return None
    batches = [_resampled(metric, sums, counts, method) for counts in resampled_counts(len(sums), resamples, seed)]
    resampled, errors = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    # Quantiles of a minority of the resamples would describe the lucky draws that happened to hold every class.
    if 2 * len(resampled) < resamples:
        return None
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(resampled, tails)
    if method == "studentised":
        low, high = _studentised(metric, sums, resampled, errors, tails)
    return Interval(float(low), float(high), level)


def resampled_counts(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each of n patients is drawn in each resample, some rows of (resamples, n) at a time."""
    # One generator for all batches: the draws, and so the interval, do not depend on the size of a batch.
    generator, step = np.random.default_rng(seed), max(1, _RESAMPLE_NUMBERS // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        yield generator.multinomial(n, np.full(n, 1.0 / n), size=size).astype(np.float64)


def student_t(freedom: float, probability: float) -> float:
    """Return the quantile of Student's t at a probability."""
    # Not scipy.stats.t: the import of scipy.stats takes longer than scoring a task.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def student_tail(freedom: float, ratio: float) -> float:
    """Return the probability that Student's t is above a ratio."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -ratio))


@dataclass(frozen=True, kw_only=True, slots=True)
class _JackknifeSummary:
    """A score, the influence of each patient on it (patients,), and the number of patients these are worth.

    ``freedom`` are the degrees of freedom of the variance, ``trials`` the number of equal patients that a mean over the
    ``classes`` is worth.
    """

    score: float
    influences: Array
    freedom: float
    trials: float
    classes: int
    bounds: tuple[float, float] | None

    @property
    def variance(self) -> float:
        """The jackknife variance, about the score itself."""
        n = len(self.influences)
        return float((n - 1) / n * np.sum(self.influences**2))

    @property
    def contributors(self) -> float:
        """Kish's effective number of patients in the variance: 1 if one patient makes it all, 0 without variance."""
        squares = self.influences**2
        return float(squares.sum() ** 2 / np.sum(squares**2)) if self.is_varying else 0.0

    @property
    def is_varying(self) -> bool:
        """Return whether leaving out some patient changes the score."""
        return bool(np.abs(self.influences).max() > ROUNDING)

    @property
    def certain_freedom(self) -> float:
        """The degrees of freedom, fewer where the influences have heavy tails: 2n / (kurtosis − 1)."""
        n = len(self.influences)
        # n / contributors is the sample kurtosis of the influences about 0.
        excess = n / self.contributors - 1.0 if self.is_varying else math.inf
        return min(self.freedom, 2.0 * n / max(excess, ROUNDING))

    @property
    def reason(self) -> str:
        """The reason for having no limits."""
        n, bearing = len(self.influences), int(np.count_nonzero(np.abs(self.influences) > ROUNDING))
        if not bearing:
            return f"all {n} patients score alike"
        return f"too few patients ({n}; only {bearing} of them move{'s' if bearing == 1 else ''} the score)"

    def limits(self, level: float) -> tuple[float, float] | None:
        """Limits of the interval, or ``None`` where too few patients move the score."""
        low, high = self.bounds or (-math.inf, math.inf)
        # Student's limits have no width where every patient scores the bound; Wilson's do: the wider of each is taken.
        if math.isfinite(low) and math.isfinite(high):
            plain = self._plain(self.freedom, level)
            share = self._share_limits(low, high, level)
            return max(low, min(plain[0], share[0])), min(high, max(plain[1], share[1]))
        if self.certain_freedom < MIN_FREEDOM:
            return None
        below, above = self._plain(self.certain_freedom, level)
        # Errors are skewed to the right, so that the upper limit is that of the logarithm where it is higher.
        if low == 0.0 and self.score > 0.0:
            above = max(above, self.score * math.exp(min(above / self.score - 1.0, _MAX_LOG_HALF_WIDTH)))
        return max(low, below), min(high, above)

    def _plain(self, freedom: float, level: float) -> tuple[float, float]:
        """Return Student's limits about the score."""
        half = student_t(freedom, (1 + level) / 2) * math.sqrt(self.variance)
        return self.score - half, self.score + half

    def _share_limits(self, low: float, high: float, level: float) -> tuple[float, float]:
        """Return Wilson's limits, for as many trials as would have the variance, with Student's quantile for z.

        The variance is the jackknife's, with the greatest that the patients can have (each of them all right or all
        wrong) counted as up to :data:`PRIOR_PATIENTS` patient beside those that make it: the fewer patients err, the
        less is known. Of several classes a rare one may be all right by luck, which the variance of the others hides,
        so that the prior always counts in full there.
        """
        p = (self.score - low) / (high - low)
        observed = self.variance / (high - low) ** 2 / (p * (1 - p)) if 0 < p < 1 else 0.0
        weight = min(self.contributors, self.freedom)
        trust = 0.0 if self.classes > 1 else min(1.0, self.contributors / _TRUSTED_CONTRIBUTORS)
        prior = PRIOR_PATIENTS * (1.0 - trust)
        per_trial = (weight * observed + prior / self.trials) / (weight + prior)
        z = student_t(self.freedom, (1 + level) / 2) ** 2 * per_trial
        middle, half = (p + z / 2) / (1 + z), math.sqrt(z * p * (1 - p) + z * z / 4) / (1 + z)
        return low + (high - low) * (middle - half), low + (high - low) * (middle + half)


def class_shares(metric: Formula, sums: Array) -> dict[str, Array]:
    """Return class → each patient's share of its items, (patients,), without classes that have no item.

    A metric that does not name classes has one, of as many items as the absolute sums say.
    """
    support = getattr(metric, "support", None)
    counts: Mapping[str, Array] = support(sums) if support else {}
    counts = {name: of_class for name, of_class in counts.items() if of_class.any()}
    counts = counts or {"": np.abs(sums).sum(axis=1)}
    return {name: of_class / of_class.sum() for name, of_class in counts.items()}


def _trials(shares: Mapping[str, Array]) -> float:
    """Number of equal patients that a mean over classes is worth if all of a patient's items of a class end alike."""
    return float(len(shares) ** 2 / sum(np.sum(share**2) for share in shares.values()))


def _bounds(metric: Formula, score: float) -> tuple[float, float] | None:
    bounds = cast("tuple[float, float] | None", getattr(metric, "bounds", None))
    # A plugin's metric may leave the bounds it declares; limits clipped to them would then exclude the score.
    return bounds if bounds and bounds[0] <= score <= bounds[1] else None


def _too_few(shares: Mapping[str, Array], why: str = "") -> str:
    """Reason with the number of patients, those of the class with the fewest, and the patient who dominates it."""
    n = len(next(iter(shares.values())))
    weakest = max(shares, key=lambda name: float(np.sum(shares[name] ** 2)))
    held, largest = int(np.count_nonzero(shares[weakest])), float(shares[weakest].max())
    text = f"{n}; {weakest} of {held}" if weakest and held < n else f"{n}"
    # Among few patients every share is large: one is named only beyond half as much again as an equal share.
    if largest >= _DOMINANT_SHARE and held > 1 and largest > 1.5 / held:
        text += f", one of whom has {100 * largest:.0f} % of {weakest or 'the items'}"
    return f"too few patients ({text}{f': {why}' if why and held == n else ''})"


def _resampled(metric: Formula, sums: Array, counts: Array, method: Method) -> tuple[Array, Array]:
    """Scores of the resamples where the score is defined, and for the bootstrap-t their standard errors."""
    scores = metric.value(counts @ sums)
    defined = np.isfinite(scores)
    return scores[defined], _jackknife(metric, sums, counts[defined]) if method == "studentised" else np.zeros(0)


def _studentised(metric: Formula, sums: Array, resampled: Array, errors: Array, tails: Array) -> tuple[float, float]:
    """Limits of the bootstrap-t; the percentile limits where the jackknife sees no variation."""
    score = float(metric.value(sums.sum(axis=0)))
    error = standard_error(metric, sums)
    deviations = resampled - score
    if not error > 0:
        low, high = np.quantile(resampled, tails)
        return float(low), float(high)
    # A resample without spread is infinitely far from the score in standard errors, unless it has the same score.
    distant = np.where(np.abs(deviations) > ROUNDING, np.copysign(np.inf, deviations), 0.0)
    ratios = np.divide(deviations, errors, out=distant, where=errors > ROUNDING)
    # Without interpolation: between a finite and an infinite ratio it would give NaN.
    upper, lower = np.quantile(ratios, tails, method="inverted_cdf")
    wider, student = math.sqrt(len(sums) / (len(sums) - 1)), student_t(len(sums) - 1, tails[1])
    least, most = resampled.min(), resampled.max()
    below, above = error * max(lower * wider, student), error * max(-upper * wider, student)
    low, high = np.clip([score - below, score + above], least, most)
    # All resamples may lie on one side of the score: the interval is extended to hold it.
    return float(min(low, score)), float(max(high, score))


def _jackknife(metric: Formula, sums: Array, counts: Array) -> Array:
    """Standard error of the score of each resample, (resamples, n) → (resamples,), each drawn patient left out once."""
    step = max(1, _JACKKNIFE_NUMBERS // max(1, sums.size))
    parts = [_jackknife_part(metric, sums, counts[i : i + step]) for i in range(0, len(counts), step)]
    return np.concatenate(parts) * np.sqrt((len(sums) - 1) / len(sums)) if parts else np.zeros(0)


def _jackknife_part(metric: Formula, sums: Array, counts: Array) -> Array:
    """Root of the sum of squares of the leave-one-out scores about their mean; undefined scores are left out."""
    # A patient drawn m times is left out m times with the same result: it is computed once and weighted by m.
    resample, patient = np.nonzero(counts)
    scores = metric.value((counts @ sums)[resample] - sums[patient])
    weights = np.where(np.isfinite(scores), counts[resample, patient], 0.0)
    scores = np.where(weights > 0, scores, 0.0)

    def total(values: Array) -> Array:
        return np.bincount(resample, weights * values, minlength=len(counts)).astype(np.float64)

    mean = total(scores) / np.maximum(total(np.ones_like(scores)), 1.0)
    return np.sqrt(total((scores - mean[resample]) ** 2))
