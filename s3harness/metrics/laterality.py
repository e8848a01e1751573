"""Task 3: sides of signs, and the part of the body in which the event begins.

All classes of a question count the same, so that always saying the commoner side scores no more than always saying
the other. ``head_turning`` and ``arm_movement`` have the classes left and right, ``onset_body_part`` all body parts of
the vocabulary. Without ``subject`` the score is the mean of the three questions.
"""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.metrics import confusion
from s3harness.metrics.confusion import ClassTables, Formula

SIDES = ("left", "right")


def laterality_balanced_accuracy(*, subject: str = "") -> ClassTables:
    """Return the mean recall over the classes of a question that have items; 0–1, any constant scores 1/classes.

    ``parts``: question → score (if there are several), and ``question/class`` → recall.
    """
    return _laterality(confusion.balanced_accuracy, subject)


def laterality_macro_f1(*, subject: str = "") -> ClassTables:
    """Return the mean F1 over the classes of a question that have items; 0–1."""
    return _laterality(confusion.macro_f1, subject)


def _laterality(formula: Formula, subject: str) -> ClassTables:
    width = len(_classes("onset_body_part"))
    return ClassTables(
        formula=formula, classes=_classes, label_in=_label_in, subject=subject, width=width, class_recalls=True
    )


def _classes(subject: str) -> Sequence[str]:
    # Imported here: the vocabulary is read from a file, which importing the metrics should not cost.
    from s3harness.specs.features import vocabulary

    return vocabulary().body_parts if subject == "onset_body_part" else SIDES


def _label_in(value: object) -> str | None:
    return value if isinstance(value, str) else None
