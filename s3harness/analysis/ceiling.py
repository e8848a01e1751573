"""Human ceiling of a metric: the score of one annotator against another, as if a model had given these answers.

No model can be shown to be better than the annotations that it is scored against. Each annotator's work is scored
against each other's, by the metrics and references of the tasks, and the mean of all directions is the ceiling.
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
"""Signed metrics, whose mean over both directions is 0: as much as A is later than B, B is earlier than A."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HumanCeiling:
    """Score of annotators against each other in one metric, with its 95 % interval, resampling patients.

    ``n_items`` is the number of scored items that both annotators answer, mean over directions. ``shared`` is the share
    of the reference annotator's items that the other one has, too: an annotator who sees no sign gives no onset of it.
    ``value`` is ``None`` where the score is undefined, as for metrics of probabilities.
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
    """One annotator's answers to the items of another, who has ``n_references`` items in all."""

    pairs: Sequence[Pair]
    n_references: int


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
    """Compute the ceiling of every metric of the benchmark's tasks that has items, in the order of tasks and metrics.

    "untested" as an answer is "na", as for a model. No clips are cut here, so that an error in seconds is limited by
    :data:`s3harness.metrics.boundaries.WORST_WITHOUT_WINDOW_S`.
    """
    specs = [resolve(load_task(n).data, protocol="strict", profile=profile, model=ANNOTATOR) for n in task_names()]
    return [ceiling for spec in specs for ceiling in _of_task(spec, panel, resamples, seed)]


def _of_task(spec: TaskSpec, panel: Panel, resamples: int, seed: int) -> Iterator[HumanCeiling]:
    items = [_references(spec.item, panel, number) for number in range(len(panel.annotators))]
    # Permutations: A against B has other items than B against A.
    directions = [_direction(references, answers) for references, answers in permutations(items, 2)]
    for metric in spec.metrics:
        if metric.name not in WITHOUT_CEILING and any(_scored(metric, d.pairs) for d in directions):
            yield _ceiling(spec, metric, directions, resamples, seed)


def _references(item: str, panel: Panel, annotator: int) -> dict[str, Reference]:
    """Return item → one annotator's annotation of it as a reference."""
    # Annotators see and hear, so that they are scored on all signs.
    modalities: tuple[Modality, ...] = ANNOTATOR.modalities
    references = {}
    for cluster, videos in zip(panel.clusters, panel.videos, strict=True):
        video = videos[annotator]
        for subject, truth in truths(video, item, modalities):
            name = f"{video.id}/{subject}"
            references[name] = Reference(
                item=name, task=item, video_id=video.id, subject=subject, cluster=cluster, truth=truth
            )
    return references


def _direction(references: Mapping[str, Reference], answering: Mapping[str, Reference]) -> _Direction:
    """Pair the items that both annotators have: the first one's truth, and the second one's as the answer."""
    shared = [name for name in references if name in answering]
    # Annotators give no probabilities; the oracle's would be those of the truth.
    answers = [replace(p, probability=None) for p in oracle([answering[name] for name in shared])]
    pairs = [Pair(references[name], answer) for name, answer in zip(shared, answers, strict=True)]
    return _Direction(pairs, len(references))


def _ceiling(
    spec: TaskSpec, metric_spec: MetricSpec, directions: Sequence[_Direction], resamples: int, seed: int
) -> HumanCeiling:
    # A metric object learns its subjects from the pairs: one for each direction.
    metrics = [build_metric(spec.name, metric_spec) for _ in directions]
    patients = max(pair.reference.cluster for direction in directions for pair in direction.pairs) + 1
    sums = [_by_patient(metric, d.pairs, patients) for metric, d in zip(metrics, directions, strict=True)]
    # Side by side in one row per patient, so that a resample draws both directions of a patient together.
    formula = _MeanOfDirections(metrics, np.cumsum([part.shape[1] for part in sums])[:-1].tolist())
    rows = np.hstack(sums)
    value = float(formula.value(rows.sum(axis=0)))
    interval = interval_of_rows(formula, rows, np.arange(patients), resamples=resamples, seed=seed).interval
    n_items = sum(len(_scored(metric_spec, d.pairs)) for d in directions)
    n_references = sum(d.n_references for d in directions)
    return HumanCeiling(
        task=spec.name,
        metric=metric_spec.label,
        value=value if math.isfinite(value) else None,
        interval=interval if interval and math.isfinite(interval.low) and math.isfinite(interval.high) else None,
        n_items=n_items / len(directions),
        shared=sum(len(d.pairs) for d in directions) / n_references if n_references else 0.0,
        unit=metrics[0].unit,
        higher_is_better=metrics[0].higher_is_better,
        primary=metric_spec.primary,
    )


def _by_patient(metric: Metric, pairs: Sequence[Pair], patients: int) -> Array:
    """Return the sums of a metric's rows by patient, shape (patients, k)."""
    rows = metric.statistics(pairs)
    sums = np.zeros((patients, rows.shape[1]))
    # add.at: plain indexing with += would add only one row of a patient who occurs twice.
    np.add.at(sums, [pair.reference.cluster for pair in pairs], rows)
    return sums


def _scored(spec: MetricSpec, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of a metric's subject whose truth is not "untested"."""
    subject = spec.params.get("subject", "")
    return [p for p in pairs if subject in ("", p.reference.subject) and not _is_untested(p.reference.truth)]


def _is_untested(truth: object) -> bool:
    return (truth.get("present") if isinstance(truth, Mapping) else truth) == "untested"
