"""How good diagnoses are: the measures of Task 7, with intervals between patients, and the calibration curve.

An event without a diagnosis counts as wrong in every measure: it is the other class, ranks behind all of it, and its
probability is off by one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from s3harness.diagnosis.cases import Cases, Numbers
from s3harness.diagnosis.crossfit import OutOfFold
from s3harness.metrics import diagnosis as task7
from s3harness.metrics.base import Array, ItemMean, Metric, Pair
from s3harness.metrics.features import FeatureAuroc
from s3harness.stats import interval_of_rows
from s3harness.types import Interval, Prediction, Reference

SUBJECT = "diagnosis"
CURVE_BINS = 6

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Measure:
    """A value and its 95 % interval; ``None`` where it is undefined."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class System:
    """What a way to diagnose scores: its measures by name, and how many of ``n`` events it answered (mean of repeats).

    ``kind`` is floor, direct, two-stage or ceiling; ``fitted_on`` is what a classifier learnt from.
    """

    name: str
    kind: str
    measures: Mapping[str, Measure]
    answered: float
    n: int
    classifier: str = ""
    fitted_on: str = ""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Events of like probability: their mean probability, and the share of ES among them."""

    predicted: float
    observed: Measure
    n: int


def score_answers(cases: Cases, says_es: Array, *, resamples: int, seed: int = 0) -> dict[str, Measure]:
    """The measures of diagnoses (repeats, n) of labelled cases: 1 for ES, 0 for NES, NaN for no answer.

    Repeats are averaged item by item, so a score of several repeats is one of their mean tables.
    """
    repeats = [_pairs(cases, row, task7.DIAGNOSES) for row in says_es]
    return {name: _mean_measure(metric(), repeats, cases, resamples, seed) for name, metric in _DECISIONS.items()}


def score_probabilities(cases: Cases, found: OutOfFold, *, resamples: int, seed: int = 0) -> dict[str, Measure]:
    """The measures of out-of-fold diagnoses of labelled cases, AUROC and the Brier score among them.

    AUROC is the mean over folds of the area within each. Across folds probabilities are not comparable: the more ES is
    held out, the less of it is left to learn from, and the lower are the probabilities of those who have it.
    """
    pairs = [
        _pairs(cases, said, ("yes", "no"), probability, fold, f"{repeat}/")
        for repeat, (said, probability, fold) in enumerate(
            zip(found.says_es, found.probability, found.fold, strict=True)
        )
    ]
    brier = ItemMean(_squared_error, higher_is_better=False)
    return {
        **score_answers(cases, found.says_es, resamples=resamples, seed=seed),
        "auroc": measure(*_areas(pairs), cases, resamples, seed),
        "brier": _mean_measure(brier, pairs, cases, resamples, seed),
    }


def calibration_curve(cases: Cases, probability: Array, *, resamples: int, seed: int = 0) -> list[CurvePoint]:
    """Observed share of ES by predicted probability (n,), in bins of equally many answered cases."""
    answered = np.flatnonzero(np.isfinite(probability))
    ordered = answered[np.argsort(probability[answered], kind="stable")]
    bins = [part for part in np.array_split(ordered, CURVE_BINS) if len(part)]
    return [
        CurvePoint(
            float(probability[part].mean()), mean_of(cases.take(part), cases.truth[part], resamples, seed), len(part)
        )
        for part in bins
    ]


def mean_of(cases: Cases, values: Array, resamples: int, seed: int = 0, *, unit: str = "") -> Measure:
    """The mean of a value per case, with its interval over patients; without a ``unit`` values are shares, 0–1."""
    rows = np.column_stack([values, np.ones(len(values))])
    return measure(ItemMean(lambda _: None, unit=unit), rows, cases, resamples, seed)


def measure(metric: Metric, rows: Array, cases: Cases, resamples: int, seed: int = 0) -> Measure:
    """The score of rows of statistics (n, k), with its interval over patients."""
    value = float(metric.value(rows.sum(axis=0)))
    interval = interval_of_rows(metric, rows, cases.patients, resamples=resamples, seed=seed).interval
    return Measure(value if math.isfinite(value) else None, interval if _is_finite(interval) else None)


_DECISIONS = {
    "balanced_accuracy": task7.diagnosis_balanced_accuracy,
    "mcc": task7.diagnosis_mcc,
    "sensitivity": task7.diagnosis_sensitivity,
    "specificity": task7.diagnosis_specificity,
    "f1": task7.diagnosis_f1,
}
MEASURES = (*_DECISIONS, "auroc", "brier")
"""Their names, in the order of tables."""


def _mean_measure(
    metric: Metric, repeats: Sequence[Sequence[Pair]], cases: Cases, resamples: int, seed: int
) -> Measure:
    rows = np.mean([metric.statistics(pairs) for pairs in repeats], axis=0)
    return measure(metric, rows, cases, resamples, seed)


def _areas(repeats: Sequence[Sequence[Pair]]) -> tuple[Metric, Array]:
    """The metric of the mean area, and its rows with the folds of all repeats side by side."""
    metric = FeatureAuroc()
    rows = metric.statistics([pair for pairs in repeats for pair in pairs])
    return metric, rows.reshape(len(repeats), -1, rows.shape[1]).sum(axis=0)


def _pairs(
    cases: Cases,
    says_es: Array,
    words: Words,
    probability: Array | None = None,
    fold: Numbers | None = None,
    prefix: str = "",
) -> list[Pair]:
    """The items (n,) with ``words`` for ES and NES, each fold a subject of its own."""
    subjects = [SUBJECT] * len(cases) if fold is None else [f"{prefix}{number}" for number in fold]
    ranks = [None] * len(cases) if probability is None else probability.tolist()
    columns = zip(cases.videos, subjects, cases.patients.tolist(), cases.truth, says_es, ranks, strict=True)
    return [
        Pair(
            Reference(
                item=video,
                task="",
                video_id=video,
                subject=subject,
                cluster=patient,
                truth=words[0] if truth else words[1],
            ),
            _prediction(video, said, rank, words),
        )
        for video, subject, patient, truth, said, rank in columns
    ]


def _prediction(item: str, said: float, probability: float | None, words: Words) -> Prediction:
    if math.isnan(said):
        return Prediction(item, None, "missing")
    return Prediction(item, words[0] if said else words[1], probability=probability)


def _squared_error(pair: Pair) -> float:
    probability = pair.prediction.probability
    return 1.0 if probability is None else (probability - float(pair.reference.truth == "yes")) ** 2


def _is_finite(interval: Interval | None) -> bool:
    return interval is not None and math.isfinite(interval.low) and math.isfinite(interval.high)
