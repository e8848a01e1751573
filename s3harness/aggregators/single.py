"""Aggregators of items with one answer."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate
from s3harness.errors import SpecError
from s3harness.types import Answer


def single(answers: Sequence[Answer]) -> Aggregate:
    """Return the value of the only answer.

    Raises :class:`SpecError` if there are more: a task whose sampler makes several clips needs another aggregator.
    """
    answer = _only(answers, "single")
    return Aggregate(answer.value, "", answer.probability)


def clip_time(answers: Sequence[Answer]) -> Aggregate:
    """Convert seconds from the start of the clip to seconds from the start of the video, without clipping.

    Raises :class:`SpecError` if there are several answers, or if the answer is no number or has no clip.
    """
    answer = _only(answers, "clip_time")
    if isinstance(answer.value, bool) or not isinstance(answer.value, (int, float)) or answer.clip is None:
        raise SpecError(
            f"aggregate: clip_time needs a time in seconds within a clip, not {type(answer.value).__name__};"
            " use it with the parser timestamp"
        )
    # A time past the end of the clip stays as it is: the answer is wrong, not unreadable.
    seconds = answer.clip.start_s + answer.value
    return Aggregate(seconds, f"{answer.value:g} s into a clip from {answer.clip.start_s:g} s", answer.probability)


def _only(answers: Sequence[Answer], name: str) -> Answer:
    if len(answers) != 1:
        raise SpecError(
            f"aggregate: {name} takes one answer to an item, not {len(answers)}; use a sampler that makes one clip,"
            " or an aggregator that joins windows"
        )
    return answers[0]
