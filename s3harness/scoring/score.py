"""From predictions to scores: every metric beside its floor, its ceiling, its coverage and its interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from s3harness.errors import SpecError
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.floors import Weighted, expected_floors, expected_value, oracle
from s3harness.plugins import blamed, load
from s3harness.scoring.judging import Judged, judged_metric, judged_pairs
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.stats import patient_bootstrap
from s3harness.types import Interval, Prediction, Reference, Score

RESAMPLES = 2000
SEED = 0
RQI = "rqi"
"""The metric that reads reports, and that a judge can read them for."""


def score_task(
    spec: TaskSpec,
    references: Sequence[Reference],
    predictions: Sequence[Prediction],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    judged: Judged | None = None,
) -> list[Score]:
    """The scores of one task, in the order of its metrics; none if the task has no items.

    ``judged`` is what a judge made of the reports, for the Seizure-RQI to be scored by.
    """
    if not references:
        return []
    floors = expected_floors(spec.item, references)
    pairs, ceiling = _pairs(references, predictions), _pairs(references, oracle(references))
    told = judged_pairs(pairs, judged) if judged else pairs
    scores = []
    for metric in spec.metrics:
        with blamed("metric", metric.name):
            if judged and metric.name == RQI:
                scores.append(_score(spec, judged_metric(metric, judged), told, floors, ceiling, resamples, seed))
            else:
                scores.append(_score(spec, metric, pairs, floors, ceiling, resamples, seed))
    return scores


def build_metric(task: str, spec: MetricSpec) -> Metric:
    """The metric that a spec names, with its parameters; :class:`SpecError` if it does not take them."""
    make = cast("Callable[..., Metric]", load("metric", spec.name))
    try:
        with blamed("metric", spec.name):
            return make(**spec.params)
    except TypeError as error:
        raise SpecError(f"{task}: metric {spec.name!r}: {error}") from error


def _score(
    spec: TaskSpec,
    metric_spec: MetricSpec,
    pairs: Sequence[Pair],
    floors: Mapping[str, Sequence[Weighted]],
    ceiling_pairs: Sequence[Pair],
    resamples: int,
    seed: int,
) -> Score:
    metric = build_metric(spec.name, metric_spec)
    scored = _scored(metric_spec, pairs)
    rows = metric.statistics(pairs)
    totals = rows.sum(axis=0)
    answered = any(pair.is_answered for pair in scored)
    ceiling = _number(metric.value(metric.statistics(ceiling_pairs).sum(axis=0)))
    floor, floor_name = _best_floor(metric, floors, ceiling)
    clusters = np.array([pair.reference.cluster for pair in pairs])
    return Score(
        task=spec.name,
        metric=metric_spec.label,
        value=_number(metric.value(totals)) if answered else None,
        interval=_interval(metric, rows, clusters, resamples, seed) if answered else None,
        floor=floor,
        floor_name=floor_name,
        ceiling=ceiling,
        n_items=len(scored),
        n_patients=len({pair.reference.cluster for pair in scored}),
        coverage=sum(pair.is_answered for pair in scored) / len(scored) if scored else 0.0,
        lost=_lost(scored),
        higher_is_better=metric.higher_is_better,
        primary=metric_spec.primary,
        unit=metric.unit,
        parts={name: value for name, value in metric.parts(totals).items() if math.isfinite(value)} if answered else {},
    )


def _pairs(references: Sequence[Reference], predictions: Sequence[Prediction]) -> list[Pair]:
    return [Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)]


def _scored(spec: MetricSpec, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that a metric is about: those of its subject, whose truth somebody could tell."""
    subject: Any = spec.params.get("subject", "")
    return [p for p in pairs if subject in ("", p.reference.subject) and not _untested(p.reference.truth)]


def _untested(truth: object) -> bool:
    return truth == "untested" or (isinstance(truth, Mapping) and truth.get("present") == "untested")


def _lost(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many items have no value, by reason, and how many miss some of their windows."""
    return dict(sorted(Counter(p.prediction.status for p in pairs if p.prediction.status != "answered").items()))


def _best_floor(
    metric: Metric, floors: Mapping[str, Sequence[Weighted]], ceiling: float | None
) -> tuple[float | None, str]:
    """The trivial answerer that comes nearest to the ceiling, the first of equals."""
    values = {name: _number(expected_value(metric, made)) for name, made in floors.items()}
    defined = {name: value for name, value in values.items() if value is not None}
    if not defined or ceiling is None:
        return None, ""
    best = min(defined, key=lambda name: abs(ceiling - defined[name]))
    return defined[best], best


def _interval(metric: Metric, rows: Array, clusters: Array, resamples: int, seed: int) -> Interval | None:
    interval = patient_bootstrap(metric, rows, clusters, resamples=resamples, seed=seed)
    if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return None
    return interval


def _number(value: Array | float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
