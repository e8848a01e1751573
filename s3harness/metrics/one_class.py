"""Warnings about closed questions whose truth is always the same: a constant answer is right every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from s3harness.metrics.cohort import label_of
from s3harness.types import Reference

NAMED = 5
"""Subjects that a warning names; the others are counted."""


class ClassCoverage:
    """The labels that occur in each subject of each task; open questions (times, lists, reports) have none."""

    def __init__(self) -> None:
        self._labels: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def add(self, references: Iterable[Reference]) -> None:
        """Add the labels of references."""
        for reference in references:
            # "untested" is no second class: a balanced score does not count it.
            if (label := label_of(reference.truth)) is not None:
                self._labels[reference.task, reference.subject].add(label)

    def one_class(self, task: str, subject: str = "") -> dict[str, str]:
        """Return subject → its only label, of a task, or of one subject of it."""
        return {
            about: next(iter(labels))
            for (name, about), labels in sorted(self._labels.items())
            if name == task and subject in ("", about) and len(labels) == 1
        }

    def tasks(self) -> list[str]:
        """Return the tasks with closed questions."""
        return sorted({task for task, _ in self._labels})

    def warning(self, task: str, subject: str = "") -> str:
        """Return a sentence on the subjects of a task that have one class alone; empty if none has."""
        single = self.one_class(task, subject)
        subjects = [about for name, about in self._labels if name == task and subject in ("", about)]
        if not single:
            return ""
        # The same label everywhere: a table of occurrences alone, which lists no absent sign, looks like this.
        if len(single) == len(subjects) and len(set(single.values())) == 1:
            label = next(iter(single.values()))
            return f"every item has the truth {label!r}: always answering it is right, and the task cannot be scored"
        named = ", ".join(f"{about} ({label})" for about, label in list(single.items())[:NAMED])
        more = f" and {len(single) - NAMED} more" if len(single) > NAMED else ""
        verb = "has" if len(single) == 1 else "have"
        count = f"{len(single)} of {len(subjects)} questions"
        return f"{count} {verb} one true answer alone and cannot be scored by a balanced metric: {named}{more}"

    def warnings(self) -> dict[str, str]:
        """Return task → its warning, of the tasks that have one."""
        return {task: warning for task in self.tasks() if (warning := self.warning(task))}


def one_class_warnings(references: Iterable[Reference]) -> dict[str, str]:
    """Return task → a sentence on its subjects that have one class alone, of the tasks where there are any."""
    coverage = ClassCoverage()
    coverage.add(references)
    return coverage.warnings()
