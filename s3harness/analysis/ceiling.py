"""The human ceiling of a metric: what one annotator scores against another, as if a model had answered so.

No model can be shown to be better than the annotations it is held against. Each annotator's work is scored against each
other's, by the metrics and references of the tasks, and the mean of all directions is the ceiling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np

from s3harness.analysis.agreement import RESAMPLES, Panel
from s3harness.dataset.references import truths
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.floors import oracle
from s3harness.metrics.subjects import defined_mean
from s3harness.scoring.score_task import build_metric
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import MetricSpec, TaskSpec, resolve
from s3harness.stats import interval_of_rows
from s3harness.types import Interval, Modality, Reference

ANNOTATOR = ModelCard("annotator", modalities=("video", "audio"))
WITHOUT_CEILING = ("boundary_bias",)
"""Metrics with a direction: what one annotator is later than another, the other is earlier."""


@dataclass(frozen=True, slots=True)
class HumanCeiling:
    """What annotators score against each other in one metric, and its 95 % interval, resampling patients.

    ``n_items`` are the scored items that both annotators answer, mean over directions. ``shared`` is the share that
    both have of the items of the one scored against: who sees no sign cannot say when it begins. ``value`` is ``None``
    where the score is undefined, as where it takes probabilities.
    """

    task: str
    metric: str
    value: float | None
    interval: Interval | None
    n_items: float
    shared: float
    unit: str
    higher_is_better: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class _Direction:
    """One annotator's answers to the items of another."""

    pairs: Sequence[Pair]
    n_asked: int


@dataclass(frozen=True, slots=True)
class _MeanOfDirections:
    """The mean of the scores of several metrics, whose columns stand side by side."""

    metrics: Sequence[Metric]
    ends: Sequence[int]

    def value(self, totals: Array) -> Array:
        parts = np.split(totals, self.ends, axis=-1)
        return defined_mean(np.stack([m.value(part) for m, part in zip(self.metrics, parts, strict=True)], axis=-1))


def human_ceilings(
    panel: Panel, *, profile: str = "strict", resamples: int = RESAMPLES, seed: int = 0
) -> list[HumanCeiling]:
    """The ceilings of every metric of the benchmark's tasks that has items, in the order of tasks and metrics.

    "untested" as an answer is "na", as for a model. No clips are cut here, so that an error in seconds is limited by
    :data:`s3harness.metrics.boundaries.WORST_WITHOUT_WINDOW_S`.
    """
    specs = [resolve(load_task(n).data, protocol="strict", profile=profile, model=ANNOTATOR) for n in task_names()]
    return [ceiling for spec in specs for ceiling in _of_task(spec, panel, resamples, seed)]


def _of_task(spec: TaskSpec, panel: Panel, resamples: int, seed: int) -> Iterator[HumanCeiling]:
    items = [_references(spec.item, panel, number) for number in range(len(panel.annotators))]
    directions = [_direction(asked, answering) for asked, answering in permutations(items, 2)]
    for metric in spec.metrics:
        if metric.name not in WITHOUT_CEILING and any(_scored(metric, d.pairs) for d in directions):
            yield _ceiling(spec, metric, directions, resamples, seed)


def _references(item: str, panel: Panel, annotator: int) -> dict[str, Reference]:
    """Item → what one annotator says of it."""
    modalities: tuple[Modality, ...] = ANNOTATOR.modalities
    found = {}
    for cluster, videos in zip(panel.clusters, panel.videos, strict=True):
        video = videos[annotator]
        for subject, truth in truths(video, item, modalities):
            name = f"{video.id}/{subject}"
            found[name] = Reference(
                item=name, task=item, video_id=video.id, subject=subject, cluster=cluster, truth=truth
            )
    return found


def _direction(asked: Mapping[str, Reference], answering: Mapping[str, Reference]) -> _Direction:
    """The items of one annotator that the other has too, with what the latter says as the answer."""
    shared = [name for name in asked if name in answering]
    answers = [replace(p, probability=None) for p in oracle([answering[name] for name in shared])]
    return _Direction([Pair(asked[n], answer) for n, answer in zip(shared, answers, strict=True)], len(asked))


def _ceiling(
    spec: TaskSpec, metric_spec: MetricSpec, directions: Sequence[_Direction], resamples: int, seed: int
) -> HumanCeiling:
    metrics = [build_metric(spec.name, metric_spec) for _ in directions]
    patients = max(pair.reference.cluster for direction in directions for pair in direction.pairs) + 1
    sums = [_by_patient(metric, d.pairs, patients) for metric, d in zip(metrics, directions, strict=True)]
    formula = _MeanOfDirections(metrics, np.cumsum([part.shape[1] for part in sums])[:-1].tolist())
    rows = np.hstack(sums)
    value = float(formula.value(rows.sum(axis=0)))
    interval = interval_of_rows(formula, rows, np.arange(patients), resamples=resamples, seed=seed).interval
    n_items = sum(len(_scored(metric_spec, d.pairs)) for d in directions)
    n_asked = sum(d.n_asked for d in directions)
    return HumanCeiling(
        task=spec.name,
        metric=metric_spec.label,
        value=value if math.isfinite(value) else None,
        interval=interval if interval and math.isfinite(interval.low) and math.isfinite(interval.high) else None,
        n_items=n_items / len(directions),
        shared=sum(len(d.pairs) for d in directions) / n_asked if n_asked else 0.0,
        unit=metrics[0].unit,
        higher_is_better=metrics[0].higher_is_better,
        primary=metric_spec.primary,
    )


def _by_patient(metric: Metric, pairs: Sequence[Pair], patients: int) -> Array:
    """Sums of a metric's rows, (patients, k)."""
    rows = metric.statistics(pairs)
    sums = np.zeros((patients, rows.shape[1]))
    np.add.at(sums, [pair.reference.cluster for pair in pairs], rows)
    return sums


def _scored(spec: MetricSpec, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of a metric's subject whose truth somebody could tell."""
    subject = spec.params.get("subject", "")
    return [p for p in pairs if subject in ("", p.reference.subject) and not _is_untested(p.reference.truth)]


def _is_untested(truth: object) -> bool:
    return (truth.get("present") if isinstance(truth, Mapping) else truth) == "untested"
