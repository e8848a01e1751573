"""Subjects of each kind of item: the signs, moments or texts that a task asks about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from s3harness.specs.features import Vocabulary, benchmark_vocabulary, vocabulary


def subjects(item: str) -> tuple[str, ...]:
    """Return the subjects of a kind of item, in order; see ``item`` of the task specs."""
    return _SUBJECTS[item](vocabulary())


def benchmark_subjects(item: str) -> tuple[str, ...]:
    """Return the subjects of a kind of item by the benchmark's own list of signs."""
    return _SUBJECTS[item](benchmark_vocabulary())


def _features(words: Vocabulary) -> tuple[str, ...]:
    return words.names


def _boundaries(words: Vocabulary) -> tuple[str, ...]:
    return (*(f.name for f in words.features if f.has_interval), "seizure_onset", "seizure_offset")


_SUBJECTS: Mapping[str, Callable[[Vocabulary], tuple[str, ...]]] = {
    "feature": _features,
    "rationale": _features,
    "laterality": lambda words: (*words.sided, "onset_body_part"),
    "boundary": _boundaries,
    "sequence": lambda _: ("sequence",),
    "report": lambda _: ("report",),
    "diagnosis": lambda _: ("video", "video_and_report"),
    "seizures": lambda _: ("seizures",),
}
