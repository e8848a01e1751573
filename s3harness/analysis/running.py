"""Scores of a run while it goes on: each task's primary metric over the items that are answered so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from s3harness.metrics.base import Pair
from s3harness.scoring.score_run import ScoredTask
from s3harness.scoring.score_task import build_metric


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningScore:
    """The primary metric of a task over ``answered`` of its ``items``; ``value`` is ``None`` where it is undefined.

    It has neither floor nor interval: it shows where a run is going, and is no result.
    """

    task: str
    metric: str
    value: float | None
    answered: int
    items: int


def running_scores(tasks: Mapping[str, ScoredTask]) -> list[RunningScore]:
    """Return one score per task, over the items all or some of whose requests have a response."""
    return [_running_score(task) for task in tasks.values()]


def _running_score(task: ScoredTask) -> RunningScore:
    pairs = [Pair(r, p) for r, p in zip(task.references, task.predictions, strict=True) if p.status != "missing"]
    primary = next(metric for metric in task.spec.metrics if metric.primary)
    value = math.nan
    if pairs:
        metric = build_metric(task.spec.name, primary)
        value = float(metric.value(metric.statistics(pairs).sum(axis=0)))
    return RunningScore(
        task=task.spec.name,
        metric=primary.label,
        value=value if math.isfinite(value) else None,
        answered=len(pairs),
        items=len(task.references),
    )
