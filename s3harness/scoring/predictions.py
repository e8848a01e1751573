"""Answers → predictions: the windows of an item combined by its task's aggregator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import cast

from s3harness.aggregators.aggregate import Aggregate
from s3harness.errors import SpecError
from s3harness.metrics.base import Pair
from s3harness.plugins.manager import blamed, load
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Answer, Prediction, PredictionStatus, Reference

GRAVEST: tuple[PredictionStatus, ...] = ("failed", "refused", "cut", "unparsable", "missing")
"""Status of an item without a readable answer: the first of these that one of its windows has."""


def predict(references: Iterable[Reference], answers: Mapping[str, Answer], spec: TaskSpec) -> list[Prediction]:
    """Return one prediction per reference, in their order."""
    # A spec is merged and an aggregator looked up once per subject, not for each of thousands of items.
    combine = cache(lambda subject: _combine(spec.for_subject(subject)))
    return [predict_item(reference, answers, combine(reference.subject)) for reference in references]


def predicted(
    references: Iterable[Reference],
    answers_of: Callable[[str], Mapping[str, Answer]],
    tasks: Mapping[str, TaskSpec],
) -> Iterator[list[Pair]]:
    """Yield the pairs of reference and prediction of some tasks, video by video; ``answers_of`` takes a video id."""
    combine = cache(lambda task, subject: _combine(tasks[task].for_subject(subject)))
    # Items are stored video by video, so that groupby needs no sorting.
    for video_id, of_video in groupby(references, key=lambda reference: reference.video_id):
        answers = answers_of(video_id)
        yield [Pair(r, predict_item(r, answers, combine(r.task, r.subject))) for r in of_video]


def predict_item(
    reference: Reference, answers: Mapping[str, Answer], combine: Callable[[Sequence[Answer]], Aggregate]
) -> Prediction:
    """Return the prediction of one item from the answers of its windows."""
    windows = [answers.get(request) for request in reference.requests]
    read = [answer for answer in windows if answer is not None and answer.is_read]
    lost: Counter[str] = Counter(
        "missing" if answer is None else answer.status for answer in windows if answer is None or not answer.is_read
    )
    if not read:
        status: PredictionStatus = next((s for s in GRAVEST if s in lost), "missing")
        # The note of the window that decided the status, and not of the first one.
        note = next((a.note for a in windows if a is not None and a.status == status), "")
        return Prediction(reference.item, None, status, note)
    result = combine(read)
    if result.value is None:
        return Prediction(reference.item, None, "unparsable", result.note)
    losses = "; ".join(f"{n} of {len(windows)} windows {why}" for why, n in sorted(lost.items()))
    note = "; ".join(part for part in (losses, result.note) if part)
    return Prediction(reference.item, result.value, "partial" if lost else "answered", note, result.probability)


def _combine(spec: TaskSpec) -> Callable[[Sequence[Answer]], Aggregate]:
    """Return the aggregator of a spec, with its parameters bound."""
    name, params = spec.aggregator
    aggregate = cast("Callable[..., Aggregate]", load("aggregator", name))

    def combine(read: Sequence[Answer]) -> Aggregate:
        try:
            with blamed("aggregator", name):
                return aggregate(read, **params)
        # Wrong parameters of a spec show as a TypeError of the call.
        except TypeError as error:
            raise SpecError(f"{spec.name}: aggregator {name!r}: {error}") from error

    return combine
