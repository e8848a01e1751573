"""From answers to predictions: the windows of an item put together by its task's aggregator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from s3harness.aggregators.aggregate import Aggregate
from s3harness.errors import SpecError
from s3harness.plugins import blamed, load
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Answer, Prediction, PredictionStatus, Reference

GRAVEST: tuple[PredictionStatus, ...] = ("failed", "refused", "cut", "unparsable", "missing")
"""What an item without a readable answer is called, if its windows differ: the first of these among them."""


def predict(references: Sequence[Reference], answers: Mapping[str, Answer], spec: TaskSpec) -> list[Prediction]:
    """One prediction per reference, in their order."""
    combine = {subject: _combine(spec.for_subject(subject)) for subject in {r.subject for r in references}}
    return [predict_item(reference, answers, combine[reference.subject]) for reference in references]


def predict_item(
    reference: Reference, answers: Mapping[str, Answer], combine: Callable[[Sequence[Answer]], Aggregate]
) -> Prediction:
    """The prediction of one item from the answers of its windows."""
    given = [answers.get(request) for request in reference.requests]
    read = [answer for answer in given if answer is not None and answer.is_read]
    lost: Counter[str] = Counter(
        "missing" if answer is None else answer.status for answer in given if answer is None or not answer.is_read
    )
    if not read:
        status: PredictionStatus = next((s for s in GRAVEST if s in lost), "missing")
        note = next((a.note for a in given if a is not None and a.status == status), "")
        return Prediction(reference.item, None, status, note)
    result = combine(read)
    if result.value is None:
        return Prediction(reference.item, None, "unparsable", result.note)
    windows = "; ".join(f"{n} of {len(given)} windows {why}" for why, n in sorted(lost.items()))
    note = "; ".join(part for part in (windows, result.note) if part)
    return Prediction(reference.item, result.value, "partial" if lost else "answered", note, result.probability)


def _combine(spec: TaskSpec) -> Callable[[Sequence[Answer]], Aggregate]:
    """The aggregator of a spec, with its parameters."""
    name, params = spec.aggregator
    aggregate = cast("Callable[..., Aggregate]", load("aggregator", name))

    def combine(read: Sequence[Answer]) -> Aggregate:
        try:
            with blamed("aggregator", name):
                return aggregate(read, **params)
        except TypeError as error:
            raise SpecError(f"{spec.name}: aggregator {name!r}: {error}") from error

    return combine
