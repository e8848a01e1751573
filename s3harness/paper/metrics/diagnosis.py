"""Task 7 as published: precision, recall, F1 and accuracy with ES as the positive class.

Defects, kept because the published numbers have them:

- An answer that could not be read is dropped; the fine-tuned models were scored on half of the videos, the short ones.
- "ES" is found within any word, so that "YES" is a diagnosis.
- F1 of ES is high for "always ES" where most events are epileptic: 0.81 on the published test fold.
"""

from __future__ import annotations

from s3harness.metrics.base import Pair
from s3harness.paper.metrics.confusion import PaperTables, Statistic


def paper_diagnosis(*, statistic: Statistic = "f1", subject: str = "") -> PaperTables:
    """Return one statistic per question (video, video_and_report), and their mean; 0–1. ``parts``: by question."""
    return PaperTables(statistic=statistic, labels=_labels, positive=lambda _: "ES", subject=subject)


def released_diagnosis(text: str) -> str | None:
    """Return a released answer as the authors read it: NES if it is anywhere in the text, else ES, else ``None``."""
    # NES first: "ES" is a part of it.
    return next((label for label in ("NES", "ES") if label in text.upper()), None)


def _labels(pair: Pair) -> tuple[str, str] | None:
    truth, answer = pair.reference.truth, pair.prediction.value
    labels = ("ES", "NES")
    return (str(truth), str(answer)) if truth in labels and answer in labels else None
