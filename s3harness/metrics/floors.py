"""Floors and ceilings: predictions and scores of the trivial answerers, which see no video, and of the truth.

The answerers are those of :mod:`s3harness.metrics.trivial_answerers`, for each kind of item. None uses the truth of
the item, or of its patient, except :func:`truth_of`; they are fitted anew on the references of each run, so that a
floor belongs to exactly the items that are scored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from s3harness.errors import UsageError
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.trivial_answerers import LEAVE_OUT, TRAIN, Answerers, Cohort, Mixture, Without, prediction_of
from s3harness.metrics.trivial_closed_answers import Diagnoses, Features, Rationales, Sides
from s3harness.metrics.trivial_detections import Detections
from s3harness.metrics.trivial_open_answers import Boundaries, Sequences, TrivialReports
from s3harness.types import Prediction, Reference

KINDS: Mapping[str, type[Cohort]] = {
    "feature": Features,
    "rationale": Rationales,
    "laterality": Sides,
    "boundary": Boundaries,
    "sequence": Sequences,
    "report": TrivialReports,
    "diagnosis": Diagnoses,
    "seizures": Detections,
}
"""Kind of item, as task specs declare it → the cohort that fits its answerers."""
DRAWN = ("prevalence", "anywhere", "coin", "medoid_coin", "rate_matched", "night_only")
"""Random answerers: they score above the best of the others only by luck."""


def answerers(kind: str, references: Iterable[Reference], training: Iterable[Reference] | None = None) -> Answerers:
    """Return the trivial answerers of a kind of item, fitted on ``training`` or else leaving each patient out.

    ``references`` are the items to be answered; they are iterated once, and not at all with a training split. With
    fewer than two patients there are no others to fit on, and only the answerers without a fit are returned.
    """
    cohort = KINDS[kind]()
    for reference in references if training is None else training:
        cohort.add(reference)
    # Patients of a training split are others by definition: nobody needs to be left out.
    left_out: Without = (lambda reference: reference.cluster) if training is None else (lambda reference: None)
    all_answerers = cohort.answerers(left_out)
    if training is None and len(cohort.patients) < 2:
        return _without_fitted(all_answerers)
    return replace(all_answerers, fitted_on=LEAVE_OUT if training is None else TRAIN)


def _without_fitted(fitted: Answerers) -> Answerers:
    """The constants alone, and a simulated reader that needs no other patients."""
    floors = {name: floor for name, floor in fitted.floors.items() if not floor.is_fitted}
    needed = {part for floor in floors.values() for part, _ in floor.mixture}
    reader = fitted.reader if fitted.reader and not fitted.reader.is_fitted else None
    needed |= {part for part, _ in reader.mixture} if reader else set()
    return Answerers({name: say for name, say in fitted.says.items() if name in needed}, floors, "", reader)


def floors_for(
    kind: str, references: Sequence[Reference], *, seed: int = 0, training: Sequence[Reference] | None = None
) -> dict[str, list[Prediction]]:
    """Return the predictions of every trivial answerer of a kind of item, in the order of the references, by its name.

    They are fitted on ``training``, else on the other patients of the references; ``training=references`` fits on the
    items themselves. ``seed`` fixes the random answerers. Raises :class:`UsageError` for an unknown kind.
    """
    if kind not in KINDS:
        raise UsageError(f"there are no trivial answerers for {kind!r}: expected one of {', '.join(KINDS)}")
    if not references:
        return {}
    fitted = answerers(kind, references, training)
    return {name: _drawn(fitted, floor.mixture, references, seed) for name, floor in fitted.floors.items()}


def expected_value(metric: Metric, fitted: Answerers, name: str, references: Sequence[Reference]) -> float:
    """Return the score of a trivial answerer at its expectation; NaN where undefined."""
    rows, _ = mixed(
        (
            metric.statistics([Pair(reference, fitted.says[part](reference)) for reference in references]),
            weigh(references),
        )
        for part, weigh in fitted.floors[name].mixture
    )
    return float(metric.value(rows.sum(axis=0)))


def mixed(parts: Iterable[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return rows (n, k) of several answers to the same items, times their weights (n,), added up, and weights of 1.

    A random answerer is scored at its expectation in this way: one draw can be lucky, and the best of several answerers
    would be the luckiest. A metric with a new label has wider rows from then on, in which the old columns keep their
    place.
    """
    weighted = [rows * weights[:, None] for rows, weights in parts]
    total = np.zeros((len(weighted[0]), max(rows.shape[1] for rows in weighted)))
    for rows in weighted:
        total[:, : rows.shape[1]] += rows
    return total, np.ones(len(total))


def oracle(references: Sequence[Reference]) -> list[Prediction]:
    """Return the truth of each reference as an answer: a perfect model's answers, which score the ceiling."""
    return list(map(truth_of, references))


def truth_of(reference: Reference) -> Prediction:
    """Return the truth of a reference as an answer."""
    return prediction_of(reference, _truth_as_answer(reference.truth))


def _drawn(fitted: Answerers, mixture: Mixture, references: Sequence[Reference], seed: int) -> list[Prediction]:
    """One of the answers of a mixture to each item, drawn by its weight."""
    shares = np.cumsum([weigh(references) for _, weigh in mixture], axis=0)
    draws = _stratified_draws(references, seed) if len(mixture) > 1 else np.zeros(len(references))
    # minimum: weights may add up to a hair less than 1.
    chosen = np.minimum((draws >= shares).sum(axis=0), len(mixture) - 1)
    return [fitted.says[mixture[n][0]](r) for n, r in zip(chosen.tolist(), references, strict=True)]


def _stratified_draws(references: Sequence[Reference], seed: int) -> Array:
    """A number in 0–1 for each item, evenly spread within a subject, so that shares are met as exactly as possible."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, reference in enumerate(references):
        numbers[reference.subject].append(number)
    draws = np.zeros(len(references))
    for subject, own in numbers.items():
        # Seeded by the subject, so that its draws do not change with the other subjects of a run.
        Random(f"{seed} {subject}").shuffle(own)
        draws[own] = (np.arange(len(own)) + 0.5) / len(own)
    return draws


def _truth_as_answer(truth: Any) -> object:
    if truth == "untested":
        return "na"
    # Truths carry more than an answer may: onsets beside signs, sides beside a report.
    if isinstance(truth, Mapping) and "seizures" in truth:
        return truth["seizures"]
    if isinstance(truth, Mapping):
        present = "na" if truth.get("present") == "untested" else truth.get("present")
        return {"present": present, "text": truth["text"]} if "present" in truth else truth["text"]
    if isinstance(truth, list | tuple):
        return [name for name, _ in truth]
    return truth
