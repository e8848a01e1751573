"""Subjects of each kind of item: the signs, moments or texts that a task asks about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from s3harness.specs.features import vocabulary


def subjects(item: str) -> tuple[str, ...]:
    """Return the subjects of a kind of item, in order; see ``item`` of the task specs."""
    return _SUBJECTS[item]()


def _features() -> tuple[str, ...]:
    return vocabulary().names


def _boundaries() -> tuple[str, ...]:
    return (*(f.name for f in vocabulary().features if f.has_interval), "seizure_onset", "seizure_offset")


_SUBJECTS: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "feature": _features,
    "rationale": _features,
    "laterality": lambda: ("head_turning", "arm_movement", "onset_body_part"),
    "boundary": _boundaries,
    "sequence": lambda: ("sequence",),
    "report": lambda: ("report",),
    "diagnosis": lambda: ("video", "video_and_report"),
}
