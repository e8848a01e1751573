"""Task 2's question list as published: answers to fixed questions about the two texts, compared and weighted.

An LLM answers up to five questions on each sign from the text alone, once for the expert's text and once for the
model's. The authors released the resulting scores per video and sign, not the answers.

Defect, kept because the published numbers have it: where the expert saw no sign, agreeing on "no" is worth the whole
score, and most signs are absent from most videos, so that the score falls as a model says yes more often (r = −0.92
over the published models).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal


def question_list_scores(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return sign → mean over its videos; signs without a video are left out."""
    return {name: sum(values) / len(values) for name, values in scores.items() if values}


def question_list_score(scores: Mapping[str, Sequence[float]]) -> float:
    """Return the model's score: the mean of the signs' means before they are rounded; NaN without any."""
    means = question_list_scores(scores)
    return sum(means.values()) / len(means) if means else float("nan")


def half_up(value: float, digits: int = 2) -> float:
    """Return a number rounded as in the published table of this task: halves up."""
    # Through str: the binary fraction itself may lie a hair below the half that its shortest decimal shows.
    return float(Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
