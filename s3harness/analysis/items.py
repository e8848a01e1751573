"""Items one by one: what each scores alone, and whether anything is wrong with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from s3harness.analysis.attribution import HIT, REJECTED, outcomes
from s3harness.metrics.base import Pair
from s3harness.scoring.score_run import ScoredTask
from s3harness.scoring.score_task import build_metric

CLOSED = ("feature", "laterality", "diagnosis")
"""Items with a closed list of answers: one scores 1 if it is right and 0 if not."""


@dataclass(frozen=True, slots=True)
class ItemScore:
    """What one item scores alone, by the first metric of its task that can say so, in that metric's unit.

    With a closed list of answers ``value`` is 1 or 0, and the metric the first that counts the item. ``is_correct``
    says that nothing is wrong with the answer: a boundary within 2 s, a list or a report without a flaw.
    """

    metric: str
    value: float
    higher_is_better: bool
    is_correct: bool


def item_scores(task: ScoredTask) -> list[ItemScore | None]:
    """The score of each item of a task, in its order; ``None`` for one that no metric counts."""
    pairs = [Pair(r, p) for r, p in zip(task.references, task.predictions, strict=True)]
    right = _right(task)
    found: list[ItemScore | None] = [None] * len(pairs)
    for spec in sorted(task.spec.metrics, key=lambda metric: not metric.primary):
        if all(found):
            break
        metric = build_metric(task.spec.name, spec)
        rows = metric.statistics(pairs)
        is_closed = task.spec.item in CLOSED
        values = [float(right[p.reference.item]) for p in pairs] if is_closed else metric.value(rows).tolist()
        for n in np.flatnonzero(rows.any(axis=1)):
            if found[n] is None and np.isfinite(values[n]):
                is_up = is_closed or metric.higher_is_better
                found[n] = ItemScore(spec.label, values[n], is_up, right[pairs[n].reference.item])
    return found


def _right(task: ScoredTask) -> Mapping[str, bool]:
    found = dict.fromkeys((reference.item for reference in task.references), True)
    for outcome in outcomes({task.spec.name: task}):
        found[outcome.item] &= outcome.kind in (HIT, REJECTED)
    return found
