"""Scores of single items, each with a flag for a fully correct answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from s3harness.analysis.attribution import HIT, REJECTED, outcomes
from s3harness.metrics.base import Pair
from s3harness.scoring.score_run import ScoredTask
from s3harness.scoring.score_task import build_metric

CLOSED = ("feature", "laterality", "diagnosis")
"""Kinds of item with a closed list of answers: an item scores 1 if its answer is correct, else 0."""


@dataclass(frozen=True, slots=True)
class ItemScore:
    """Score of one item alone, by the first metric of its task that is defined for one item, in that metric's unit.

    With a closed list of answers ``value`` is 1 or 0, and the metric the first that counts the item. ``is_correct``
    means that the answer has no error: a boundary within 2 s, a list or a report without a wrong or missing sign.
    """

    metric: str
    value: float
    higher_is_better: bool
    is_correct: bool


def item_scores(task: ScoredTask) -> list[ItemScore | None]:
    """Return the score of each item of a task, in its order; ``None`` for an item that no metric counts."""
    pairs = [Pair(r, p) for r, p in zip(task.references, task.predictions, strict=True)]
    correct = _correct_items(task)
    scores: list[ItemScore | None] = [None] * len(pairs)
    # The primary metric first; others only for items that it does not count, as one without a sign to order.
    for spec in sorted(task.spec.metrics, key=lambda metric: not metric.primary):
        if all(scores):
            break
        metric = build_metric(task.spec.name, spec)
        rows = metric.statistics(pairs)
        is_closed = task.spec.item in CLOSED
        # Each row as totals of its own. F1 or accuracy of a single closed answer says no more than right or wrong.
        values = [float(correct[p.reference.item]) for p in pairs] if is_closed else metric.value(rows).tolist()
        # A row of zeros is an item that the metric leaves out.
        for n in np.flatnonzero(rows.any(axis=1)):
            if scores[n] is None and np.isfinite(values[n]):
                is_up = is_closed or metric.higher_is_better
                scores[n] = ItemScore(spec.label, values[n], is_up, correct[pairs[n].reference.item])
    return scores


def _correct_items(task: ScoredTask) -> Mapping[str, bool]:
    correct = dict.fromkeys((reference.item for reference in task.references), True)
    # A list or a report has an outcome per sign, and one error makes it incorrect.
    for outcome in outcomes({task.spec.name: task}):
        correct[outcome.item] &= outcome.kind in (HIT, REJECTED)
    return correct
