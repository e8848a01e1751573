"""What the signs say of the diagnosis, and what a classifier makes of them."""

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


@dataclass(frozen=True, slots=True)
class LikelihoodRatios:
    """How much likelier a sign is in ES than in NES, if present (LR+) and if absent (LR−), where it is known.

    ``present`` of ``known`` videos show it. Where one of the four counts is zero, half a video is added to each
    (Haldane and Anscombe), and ``is_corrected`` says so. ``None`` where the sign is always, never, or nowhere known.
    """

    sign: str
    present: float
    known: int
    positive: Measure
    negative: Measure
    is_corrected: bool


@dataclass(frozen=True, slots=True)
class Influence:
    """What a sign does to a classifier.

    ``importance`` is how much the Brier score of the held-out patients worsens when the sign is exchanged among all
    videos; ``effect`` is by how much the probability of ES differs between present and absent, all else as it is.
    """

    sign: str
    importance: Measure
    effect: Measure
    direction: Direction


def likelihood_ratios(cases: Cases, *, resamples: int) -> list[LikelihoodRatios]:
    """LR+ and LR− of every sign of labelled cases; a sign counts as present from a probability of 0.5 on."""
    return [_ratios(sign, values, cases, resamples) for sign, values in zip(cases.signs, cases.vectors.T, strict=True)]


def influences(repeats: Sequence[Repeat], scored: Cases, *, resamples: int) -> list[Influence]:
    """Permutation importance and effect of every sign on out-of-fold diagnoses of labelled cases.

    Exchanging at random is done in full: each video is diagnosed with every value that the sign has among the scored
    videos, weighted by how common the value is, which is the mean over all permutations. Videos without an answer are
    left out, as no sign can change what is not there.
    """
    cases = scored.take(scored.is_answered)
    inside = [[Fold(fold.fitted, fold.held_out[scored.is_answered]) for fold in folds] for folds in repeats]
    marginals = [levels(values) for values in cases.vectors.T]
    seen = [(sign, value) for sign, marginal in enumerate(marginals) for value in (1.0, 0.0, *(v for v, _ in marginal))]
    found = dict(zip(seen, _with_changes(inside, cases, seen), strict=True))
    plain = _brier(diagnose_out_of_fold(inside, cases).probability, cases)
    return [
        _influence(
            cases,
            sign,
            found[number, 1.0].mean(axis=0) - found[number, 0.0].mean(axis=0),
            sum(share * _brier(found[number, value], cases) for value, share in marginals[number]) - plain,
            resamples,
        )
        for number, sign in enumerate(cases.signs)
    ]


def direction_of(effect: Measure) -> Direction:
    """Which diagnosis a sign speaks for; unclear where the interval holds zero."""
    if effect.interval is None or effect.interval.low <= 0.0 <= effect.interval.high:
        return "unclear"
    return "ES" if effect.interval.low > 0 else "NES"


def _ratios(sign: str, values: Array, cases: Cases, resamples: int) -> LikelihoodRatios:
    known, has = values >= 0, values >= 0.5
    es, nes = known & (cases.truth == 1), known & (cases.truth == 0)
    rows = np.column_stack([es & has, es & ~has, nes & has, nes & ~has]).astype(np.float64)
    counts = rows.sum(axis=0)
    is_defined = counts[0] + counts[2] > 0 and counts[1] + counts[3] > 0 and es.any() and nes.any()
    is_corrected = bool((counts == 0).any())
    positive, negative = (
        _ratio(_LogRatio(p, is_corrected), rows, cases, resamples) if is_defined else Measure(None, None)
        for p in (True, False)
    )
    return LikelihoodRatios(
        sign, int(has.sum()), int(known.sum()), positive, negative, is_corrected and bool(is_defined)
    )


@dataclass(frozen=True, slots=True)
class _LogRatio:
    """Log of LR+ or LR− of sums of (ES present, ES absent, NES present, NES absent)."""

    is_positive: bool
    is_corrected: bool

    def value(self, totals: Array) -> Array:
        counts = totals + (0.5 if self.is_corrected else 0.0)
        chosen = (0, 2) if self.is_positive else (1, 3)
        shares = [
            safe_ratio(counts[..., n], counts[..., first] + counts[..., first + 1])
            for n, first in zip(chosen, (0, 2), strict=True)
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(shares[0]) - np.log(shares[1])
        return np.where(np.isfinite(logs), logs, np.nan)


def _ratio(log_ratio: _LogRatio, rows: Array, cases: Cases, resamples: int) -> Measure:
    """The ratio with its interval, both worked out as logarithms."""
    value = float(log_ratio.value(rows.sum(axis=0)))
    found = interval_of_rows(log_ratio, rows, cases.patients, resamples=resamples).interval
    interval = Interval(math.exp(found.low), math.exp(found.high), found.level) if found else None
    return Measure(math.exp(value) if math.isfinite(value) else None, interval)


def _influence(cases: Cases, sign: str, effect: Array, importance: Array, resamples: int) -> Influence:
    measured, gain = (mean_of(cases, values, resamples, unit="difference") for values in (effect, importance))
    return Influence(sign, gain, measured, direction_of(measured))


def _with_changes(repeats: Sequence[Repeat], cases: Cases, changes: Sequence[tuple[int, float]]) -> Array:
    """Out-of-fold probabilities after each change, (changes, repeats, n)."""
    tiled = [[Fold(fold.fitted, np.tile(fold.held_out, len(changes))) for fold in folds] for folds in repeats]
    found = diagnose_out_of_fold(tiled, cases.variants(changes)).probability
    return found.reshape(len(repeats), len(changes), len(cases)).swapaxes(0, 1)


def _brier(probability: Array, cases: Cases) -> Array:
    """The squared error of each case, mean of repeats; 1 where its last answered sign was exchanged for none."""
    return np.asarray(np.where(np.isnan(probability), 1.0, (probability - cases.truth) ** 2).mean(axis=0))
