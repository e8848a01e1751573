"""Task 7: epileptic (ES, the positive class) or non-epileptic (NES).

An item without an answer counts as the wrong diagnosis of its own class. ``subject`` chooses the question (``video`` or
``video_and_report``); without it the score is the mean of the questions asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.metrics import confusion
from s3harness.metrics.confusion import ClassTables, Formula

# The positive class first: sensitivity is that of the first class, specificity that of the second.
DIAGNOSES = ("ES", "NES")


def diagnosis_balanced_accuracy(*, subject: str = "") -> ClassTables:
    """Return the mean of sensitivity and specificity; 0–1, "always ES" scores 0.5."""
    return _diagnosis(confusion.balanced_accuracy, subject)


def diagnosis_mcc(*, subject: str = "") -> ClassTables:
    """Return Matthews' correlation coefficient; −1 to 1, "always ES" scores 0."""
    return _diagnosis(confusion.matthews, subject)


def diagnosis_sensitivity(*, subject: str = "") -> ClassTables:
    """Return the share of the epileptic events called ES; 0–1, to be read with the specificity."""
    return _diagnosis(confusion.sensitivity, subject)


def diagnosis_specificity(*, subject: str = "") -> ClassTables:
    """Return the share of the non-epileptic events called NES; 0–1, to be read with the sensitivity."""
    return _diagnosis(confusion.specificity, subject)


def diagnosis_f1(*, subject: str = "") -> ClassTables:
    """Return the F1 of ES; 0–1, and high for "always ES" where most events are epileptic."""
    return _diagnosis(confusion.positive_f1, subject)


def _diagnosis(formula: Formula, subject: str) -> ClassTables:
    return ClassTables(formula=formula, classes=_classes, label_in=_label_in, subject=subject)


# The same for both questions; the argument is the contract of ClassTables.
def _classes(subject: str) -> Sequence[str]:
    return DIAGNOSES


def _label_in(value: object) -> str | None:
    return value if isinstance(value, str) else None
