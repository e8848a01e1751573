"""Task 1 as published: precision, recall, F1 and accuracy of each sign.

Defects, kept because the published numbers have them:

- A video without a readable answer is dropped, so that models are scored on different videos and failing pays.
- ``verbal_responsiveness`` is scored another way than the rest: macro over the labels that occur, with "na" as a class
  that the truth never has.
- F1 of "yes" rewards yes to everything: always yes has a mean F1 of 0.43 on the published test fold.
"""

from __future__ import annotations

from s3harness.metrics.base import Pair
from s3harness.paper.metrics.confusion import PaperTables, Statistic

MACRO = "verbal_responsiveness"


def paper_features(*, statistic: Statistic = "f1", subject: str = "") -> PaperTables:
    """Return one statistic per feature, and its mean over features; 0–1. ``parts``: feature → statistic."""
    return PaperTables(
        statistic=statistic, labels=_labels, positive=lambda name: None if name == MACRO else "yes", subject=subject
    )


def _labels(pair: Pair) -> tuple[str, str] | None:
    truth, answer = pair.reference.truth, pair.prediction.value
    allowed: tuple[str, ...] = ("yes", "no")
    if pair.reference.subject == MACRO:
        # An unreadable cell is "na" for this sign alone, as in the authors' program.
        allowed = ("yes", "no", "na")
        answer = "na" if answer is None and pair.prediction.status != "missing" else answer
    return (str(truth), str(answer)) if truth in ("yes", "no") and answer in allowed else None
