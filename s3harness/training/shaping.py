"""Rewards that are no metric: of the form and the length of an answer, and of the overlap of intervals.

Form and length shape an answer and say nothing of what is true, so that a worthless answer earns all of them. They are
used beside rewards that do, and the gate tests the sum (``is_shaping``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from s3harness.scoring.answers import parse
from s3harness.specs.tasks import TaskSpec
from s3harness.training.sample import Sample, SampleTruth

Spans = Sequence[tuple[float, float]]
"""Intervals, seconds from the start of the video."""

FORMS: Mapping[str, float] = {"clean": 1.0, "repaired": 0.5, "unparsable": 0.0}
"""Status of a reading → the reward of its form."""


@dataclass(frozen=True, kw_only=True)
class FormatReward:
    """1 for an answer in exactly the requested form, 0.5 for one that had to be mended to be read, 0 for any other."""

    spec: TaskSpec
    weight: float = 1.0
    is_shaping: ClassVar[bool] = True

    @property
    def task(self) -> str:
        """Full name of the task."""
        return self.spec.name

    @property
    def name(self) -> str:
        """Name as an identifier, e.g. ``task1_format``."""
        return f"{short_name(self.task)}_format"

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the reward, 0–1; ``None`` for a sample of another task."""
        if sample_truth.reference(self.task) is None:
            return None
        return FORMS[parse(text, self.spec.for_subject(sample_truth.subject), sample_truth.subject).status]

    def format_answer(self, text: str) -> str:
        """Return the answer as it is."""
        return text


@dataclass(frozen=True, kw_only=True)
class LengthReward:
    """1 for an answer of up to ``limits[subject]`` characters, less in proportion beyond, 0 from twice as many on."""

    spec: TaskSpec
    limits: Mapping[str, int]
    weight: float = 1.0
    is_shaping: ClassVar[bool] = True

    @property
    def task(self) -> str:
        """Full name of the task."""
        return self.spec.name

    @property
    def name(self) -> str:
        """Name as an identifier, e.g. ``task6_length``."""
        return f"{short_name(self.task)}_length"

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the reward, 0–1; ``None`` for a sample of another task, or a subject without a limit."""
        limit = self.limits.get(sample_truth.subject)
        if sample_truth.reference(self.task) is None or not limit:
            return None
        # Nothing is not short, it is no answer.
        return min(1.0, max(0.0, 2.0 - len(text) / limit)) if text.strip() else 0.0

    def format_answer(self, text: str) -> str:
        """Return the answer as it is."""
        return text


@dataclass(frozen=True, kw_only=True)
class OverlapReward:
    """Intersection over union of the intervals answered and the true ones, for tasks whose answers are intervals."""

    spec: TaskSpec
    weight: float = 1.0
    is_shaping: ClassVar[bool] = False

    @property
    def task(self) -> str:
        """Full name of the task."""
        return self.spec.name

    @property
    def name(self) -> str:
        """Name as an identifier, e.g. ``task8_overlap``."""
        return f"{short_name(self.task)}_overlap"

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the overlap, 0–1; ``None`` where the truth is no list of intervals."""
        reference = sample_truth.reference(self.task)
        truth = spans_of(reference.truth) if reference else None
        if truth is None:
            return None
        reading = parse(text, self.spec.for_subject(sample_truth.subject), sample_truth.subject)
        answer = spans_of(reading.value)
        return 0.0 if answer is None else overlap(answer, truth)

    def format_answer(self, text: str) -> str:
        """Return the answer as it is."""
        return text


def spans_of(value: object) -> Spans | None:
    """Return a value as intervals, ``None`` if it has another form; a bare pair of numbers is one interval."""
    if not isinstance(value, list | tuple):
        return None
    pairs = [value] if len(value) == 2 and all(map(_is_number, value)) else list(value)
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and all(map(_is_number, pair)) for pair in pairs):
        return None
    return [(float(start), float(end)) for start, end in pairs]


def overlap(answer: Spans, truth: Spans) -> float:
    """Return the shared time over the time in either, 0–1; 1 where both are empty."""
    merged, true = _union(answer), _union(truth)
    shared = sum(
        max(0.0, min(end, true_end) - max(start, true_start)) for start, end in merged for true_start, true_end in true
    )
    either = sum(end - start for start, end in (*merged, *true)) - shared
    return shared / either if either else 1.0


def answers_in_spans(samples: Iterable[Sample], task: str) -> bool:
    """Tell whether the truths of a task are intervals, whatever the task is called."""
    truths = [reference.truth for s in samples if (reference := s.truth.reference(task))]
    return any(truths) and all(spans_of(truth) is not None for truth in truths)


def longest_answers(samples: Iterable[Sample]) -> dict[str, int]:
    """Return subject → characters of the longest answer in a training set."""
    longest: dict[str, int] = {}
    for sample in samples:
        subject = sample.request.subject
        longest[subject] = max(longest.get(subject, 0), len(sample.target))
    return longest


def short_name(task: str) -> str:
    """Return the number of a task as it stands in names of rewards: ``task1`` of ``s3/task1_features``."""
    return task.rpartition("/")[2].split("_")[0]


def _union(spans: Spans) -> list[tuple[float, float]]:
    """Return intervals of positive length that share no time, in order."""
    # Otherwise the same second answered twice would count twice.
    union: list[tuple[float, float]] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if union and start <= union[-1][1]:
            union[-1] = union[-1][0], max(union[-1][1], end)
        else:
            union.append((start, end))
    return union


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
