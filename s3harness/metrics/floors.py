"""Trivial answerers: what can be scored without watching anything, and the truth itself.

The answerers are those of :mod:`s3harness.metrics.answerers`, for each kind of item. None uses what belongs to one
item, or to its patient, except :func:`truth_of`; they are made anew from the references at hand, so that a floor is
always one of the very items that are scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from s3harness.errors import UsageError
from s3harness.metrics.answerers import LEAVE_OUT, TRAIN, Answerers, Cohort, Mixture, Without, prediction_of
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.closed_answerers import Diagnoses, Features, Rationales, Sides
from s3harness.metrics.open_answerers import Boundaries, Reports, Sequences
from s3harness.types import Prediction, Reference

KINDS: Mapping[str, str] = {
    "s3/task1_features": "feature",
    "s3/task2_rationales": "rationale",
    "s3/task3_laterality": "laterality",
    "s3/task4_temporal_boundaries": "boundary",
    "s3/task5_event_order": "sequence",
    "s3/task6_report": "report",
    "s3/task7_diagnosis": "diagnosis",
}
"""Task → kind of its answers."""
DRAWN = ("prevalence", "anywhere", "coin", "medoid_coin")
"""Answerers that draw lots: paid no more than the best of the others but by luck."""


_KINDS: Mapping[str, type[Cohort]] = {
    "feature": Features,
    "rationale": Rationales,
    "laterality": Sides,
    "boundary": Boundaries,
    "sequence": Sequences,
    "report": Reports,
    "diagnosis": Diagnoses,
}


def answerers(kind: str, references: Iterable[Reference], training: Iterable[Reference] | None = None) -> Answerers:
    """Return the trivial answerers of a kind of item, fitted on ``training`` or else leaving each patient out.

    ``references`` are the items to be answered; they are walked once, and not at all with a training split. With
    fewer than two patients there is nobody to fit on, and the fitted answerers are not offered.
    """
    made = _KINDS[kind]()
    for reference in references if training is None else training:
        made.add(reference)
    left_out: Without = (lambda reference: reference.cluster) if training is None else (lambda reference: None)
    offered = made.answerers(left_out)
    if training is None and len(made.patients) < 2:
        return _without_fitted(offered)
    return replace(offered, fitted_on=LEAVE_OUT if training is None else TRAIN)


def _without_fitted(offered: Answerers) -> Answerers:
    """Constants alone, and a reader that needs nobody else."""
    floors = {name: floor for name, floor in offered.floors.items() if not floor.is_fitted}
    needed = {part for floor in floors.values() for part, _ in floor.mixture}
    reader = offered.reader if offered.reader and not offered.reader.is_fitted else None
    needed |= {part for part, _ in reader.mixture} if reader else set()
    return Answerers({name: say for name, say in offered.says.items() if name in needed}, floors, "", reader)


def floors_for(
    task: str, references: Sequence[Reference], *, seed: int = 0, training: Sequence[Reference] | None = None
) -> dict[str, list[Prediction]]:
    """Return the predictions of every trivial answerer of a task (or kind of task), in the order given, by its name.

    They are fitted on ``training``, else on the other patients of the references; ``training=references`` gives what
    somebody could say who knows these very items as a whole. ``seed`` fixes the answerers that draw lots. Raises
    :class:`UsageError` for an unknown kind.
    """
    kind = KINDS.get(task, task)
    if kind not in set(KINDS.values()):
        known = ", ".join([*KINDS, *KINDS.values()])
        raise UsageError(f"no trivial answerers are known for {task!r}: expected one of {known}")
    if not references:
        return {}
    offered = answerers(kind, references, training)
    return {name: _drawn(offered, floor.mixture, references, seed) for name, floor in offered.floors.items()}


def expected_value(metric: Metric, offered: Answerers, name: str, references: Sequence[Reference]) -> float:
    """Return the score of a trivial answerer at its expectation; NaN where undefined."""
    rows, _ = mixed(
        (
            metric.statistics([Pair(reference, offered.says[part](reference)) for reference in references]),
            weigh(references),
        )
        for part, weigh in offered.floors[name].mixture
    )
    return float(metric.value(rows.sum(axis=0)))


def mixed(parts: Iterable[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return rows (n, k) of several answers to the same items, times their weights (n,), added up, and weights of 1.

    That is how an answerer that draws lots is scored at its expectation: one draw of a blind answerer can be lucky, and
    the best of several answerers would be the luckiest. A metric that meets a new label makes wider rows from then on,
    in which the old columns keep their place.
    """
    weighted = [rows * weights[:, None] for rows, weights in parts]
    out = np.zeros((len(weighted[0]), max(rows.shape[1] for rows in weighted)))
    for rows in weighted:
        out[:, : rows.shape[1]] += rows
    return out, np.ones(len(out))


def oracle(references: Sequence[Reference]) -> list[Prediction]:
    """Return the truth of each reference as an answer: what a perfect model would say, which scores the ceiling."""
    return list(map(truth_of, references))


def truth_of(reference: Reference) -> Prediction:
    """Return the truth of a reference as an answer."""
    return prediction_of(reference, _truth_as_answer(reference.truth))


def _drawn(offered: Answerers, mixture: Mixture, references: Sequence[Reference], seed: int) -> list[Prediction]:
    """One of the answers of a mixture to each item, each as often as its weight says."""
    shares = np.cumsum([weigh(references) for _, weigh in mixture], axis=0)
    lots = _lots(references, seed) if len(mixture) > 1 else np.zeros(len(references))
    chosen = np.minimum((lots >= shares).sum(axis=0), len(mixture) - 1)
    return [offered.says[mixture[n][0]](r) for n, r in zip(chosen.tolist(), references, strict=True)]


def _lots(references: Sequence[Reference], seed: int) -> Array:
    """A number in 0–1 for each item, those of a subject evenly spread, so that a share is met as exactly as it can."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, reference in enumerate(references):
        numbers[reference.subject].append(number)
    lots = np.zeros(len(references))
    for subject, own in numbers.items():
        Random(f"{seed} {subject}").shuffle(own)
        lots[own] = (np.arange(len(own)) + 0.5) / len(own)
    return lots


def _truth_as_answer(truth: Any) -> object:
    if truth == "untested":
        return "na"
    if isinstance(truth, Mapping):
        present = "na" if truth.get("present") == "untested" else truth.get("present")
        return {"present": present, "text": truth["text"]} if "present" in truth else truth["text"]
    if isinstance(truth, list | tuple):
        return [name for name, _ in truth]
    return truth
