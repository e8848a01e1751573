"""Evidence of the signs for the diagnosis: likelihood ratios, and the influence of each sign on a classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from s3harness.diagnosis.cases import Cases
from s3harness.diagnosis.crossfit import Fold, Repeat, diagnose_out_of_fold
from s3harness.diagnosis.encoding import levels
from s3harness.diagnosis.scores import Measure, mean_of
from s3harness.metrics.base import Array, safe_ratio
from s3harness.stats import interval_of_rows
from s3harness.types import Interval

Direction = Literal["ES", "NES", "unclear"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodRatios:
    """Likelihood ratios of a sign between ES and NES, if present (LR+) and if absent (LR−), among videos that tell it.

    The sign is present in ``present`` of the ``known`` videos that tell its presence. If one of the four counts is
    zero, half a video is added to each (Haldane and Anscombe), and ``is_corrected`` is ``True``. The ratios are
    ``None`` if the sign is present in all videos or in none, or unknown in all of one class.
    """

    sign: str
    present: float
    known: int
    positive: Measure
    negative: Measure
    is_corrected: bool


@dataclass(frozen=True, slots=True)
class Influence:
    """Influence of a sign on a classifier.

    ``importance`` is the rise of the Brier score of the held-out patients when the sign is permuted among all videos;
    ``effect`` is the difference of the probability of ES between present and absent, all other signs unchanged.
    """

    sign: str
    importance: Measure
    effect: Measure
    direction: Direction


def likelihood_ratios(cases: Cases, *, resamples: int) -> list[LikelihoodRatios]:
    """Return LR+ and LR− of every sign of labelled cases; a sign counts as present from a probability of 0.5 on."""
    return [_ratios(sign, values, cases, resamples) for sign, values in zip(cases.signs, cases.vectors.T, strict=True)]


def influences(repeats: Sequence[Repeat], scored: Cases, *, resamples: int) -> list[Influence]:
    """Return permutation importance and effect of every sign on out-of-fold diagnoses of labelled cases.

    The importance is the exact mean over all permutations: each video is diagnosed with every value that the sign has
    among the scored videos, weighted by the share of the value. Videos without an answer are left out, as they have
    no diagnosis that a sign could change.
    """
    cases = scored.take(scored.is_answered)
    inside = [[Fold(fold.fitted, fold.held_out[scored.is_answered]) for fold in folds] for folds in repeats]
    marginals = [levels(values) for values in cases.vectors.T]
    changes = [(sign, v) for sign, marginal in enumerate(marginals) for v in (1.0, 0.0, *(v for v, _ in marginal))]
    probability = dict(zip(changes, _with_changes(inside, cases, changes), strict=True))
    plain = _brier(diagnose_out_of_fold(inside, cases).probability, cases)
    return [
        _influence(
            cases,
            sign,
            probability[number, 1.0].mean(axis=0) - probability[number, 0.0].mean(axis=0),
            sum(share * _brier(probability[number, value], cases) for value, share in marginals[number]) - plain,
            resamples,
        )
        for number, sign in enumerate(cases.signs)
    ]


def direction_of(effect: Measure) -> Direction:
    """Return the diagnosis for which a sign speaks; "unclear" if the interval of its effect holds zero."""
    if effect.interval is None or effect.interval.low <= 0.0 <= effect.interval.high:
        return "unclear"
    return "ES" if effect.interval.low > 0 else "NES"


def _ratios(sign: str, values: Array, cases: Cases, resamples: int) -> LikelihoodRatios:
    is_known, is_present = values >= 0, values >= 0.5
    es, nes = is_known & (cases.truth == 1), is_known & (cases.truth == 0)
    rows = np.column_stack([es & is_present, es & ~is_present, nes & is_present, nes & ~is_present]).astype(np.float64)
    counts = rows.sum(axis=0)
    is_defined = counts[0] + counts[2] > 0 and counts[1] + counts[3] > 0 and es.any() and nes.any()
    # Decided once, by the counts of all patients: resamples corrected one by one would not be of one statistic.
    is_corrected = bool((counts == 0).any())
    positive, negative = (
        _ratio(_LogRatio(p, is_corrected), rows, cases, resamples) if is_defined else Measure(None, None)
        for p in (True, False)
    )
    return LikelihoodRatios(
        sign=sign,
        present=int(is_present.sum()),
        known=int(is_known.sum()),
        positive=positive,
        negative=negative,
        is_corrected=is_corrected and bool(is_defined),
    )


@dataclass(frozen=True, slots=True)
class _LogRatio:
    """Logarithm of LR+ or LR− of sums of (ES present, ES absent, NES present, NES absent)."""

    is_positive: bool
    is_corrected: bool

    def value(self, totals: Array) -> Array:
        counts = totals + (0.5 if self.is_corrected else 0.0)
        chosen = (0, 2) if self.is_positive else (1, 3)
        shares = [
            safe_ratio(counts[..., n], counts[..., first] + counts[..., first + 1])
            for n, first in zip(chosen, (0, 2), strict=True)
        ]
        # Resamples with an empty count are undefined: they become NaN below, and need no warning.
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(shares[0]) - np.log(shares[1])
        return np.where(np.isfinite(logs), logs, np.nan)


def _ratio(log_ratio: _LogRatio, rows: Array, cases: Cases, resamples: int) -> Measure:
    """Return the ratio with its interval."""
    # As logarithms, whose distribution is nearly symmetric; that of ratios is not.
    value = float(log_ratio.value(rows.sum(axis=0)))
    log_interval = interval_of_rows(log_ratio, rows, cases.patients, resamples=resamples).interval
    interval = None
    if log_interval:
        interval = Interval(math.exp(log_interval.low), math.exp(log_interval.high), log_interval.level)
    return Measure(math.exp(value) if math.isfinite(value) else None, interval)


def _influence(cases: Cases, sign: str, effect: Array, importance: Array, resamples: int) -> Influence:
    measured, gain = (mean_of(cases, values, resamples, unit="difference") for values in (effect, importance))
    return Influence(sign, gain, measured, direction_of(measured))


def _with_changes(repeats: Sequence[Repeat], cases: Cases, changes: Sequence[tuple[int, float]]) -> Array:
    """Return the out-of-fold probabilities after each change, (changes, repeats, n)."""
    # In one table: each classifier is called once, not once for each change.
    tiled = [[Fold(fold.fitted, np.tile(fold.held_out, len(changes))) for fold in folds] for folds in repeats]
    probability = diagnose_out_of_fold(tiled, cases.variants(changes)).probability
    return probability.reshape(len(repeats), len(changes), len(cases)).swapaxes(0, 1)


def _brier(probability: Array, cases: Cases) -> Array:
    """Return the squared error of each case, as the mean over the repeats."""
    # Permuting can leave a video without any answer: it has no diagnosis then, which counts as wrong.
    return np.asarray(np.where(np.isnan(probability), 1.0, (probability - cases.truth) ** 2).mean(axis=0))
