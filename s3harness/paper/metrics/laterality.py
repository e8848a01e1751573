"""Task 3 as published: side of the head turning and of the moving arm, and the body part of the onset.

Defects, kept because the published numbers have them:

- The sides have "right" as the positive class, so that always saying the commoner "left" has F1 0 and always saying
  the commoner "right" has 0.94.
- An answer that could not be read is dropped for the sides; for the body part it is a class of its own ("fail"), which
  enters the macro average.
- The authors' parser cannot read "full body", so that this answer is never right.
"""

from __future__ import annotations

from s3harness.metrics.base import Pair
from s3harness.paper.metrics.confusion import PaperTables, Statistic

BODY_PART = "onset_body_part"
SIDES = ("left", "right")


def paper_laterality(*, statistic: Statistic = "f1", subject: str = "") -> PaperTables:
    """Return one statistic per question, and its mean over the questions; 0–1. ``parts``: question → statistic."""
    return PaperTables(
        statistic=statistic,
        labels=_labels,
        positive=lambda name: None if name == BODY_PART else "right",
        subject=subject,
    )


def _labels(pair: Pair) -> tuple[str, str] | None:
    truth, answer = pair.reference.truth, pair.prediction.value
    if pair.reference.subject != BODY_PART:
        return (str(truth), str(answer)) if truth in SIDES and answer in SIDES else None
    # The authors' tables hold the word "fail" for an unreadable body part, and score it as a class.
    if answer is None and pair.prediction.status == "unparsable":
        answer = "fail"
    return (str(truth), str(answer)) if truth and answer else None
