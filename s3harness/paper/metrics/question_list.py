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

WEIGHTS: Mapping[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (0.7, 0.3),
    3: (0.7, 0.15, 0.15),
    4: (0.7, 0.1, 0.1, 0.1),
    5: (0.7, 0.075, 0.075, 0.075, 0.075),
}
"""Number of questions of a sign → weight of each answer."""


def question_list_item(labels: tuple[str, str], truth: Sequence[str], said: Sequence[str]) -> float:
    """Score of one sign in one video, 0–1.

    ``labels`` are the true and the said yes or no, ``truth`` and ``said`` the answers to the questions. Two labels, or
    two first answers, that contradict each other score 0; otherwise the weights of the equal answers are summed, and
    answers that are comma lists are equal as sets.
    """
    if len(truth) != len(said) or len(truth) not in WEIGHTS:
        raise ValueError(f"{len(truth)} true and {len(said)} said answers: expected 1 to 5, as many of each")
    if _contradict(*labels) or _contradict(truth[0], said[0]):
        return 0.0
    equal = (_options(a) == _options(b) for a, b in zip(truth, said, strict=True))
    return sum(weight for weight, is_equal in zip(WEIGHTS[len(truth)], equal, strict=True) if is_equal)


def question_list_scores(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Sign → mean over its videos; signs without a video are left out."""
    return {name: sum(values) / len(values) for name, values in scores.items() if values}


def question_list_score(scores: Mapping[str, Sequence[float]]) -> float:
    """The model's score: the mean of the signs' means before they are rounded; NaN without any."""
    means = question_list_scores(scores)
    return sum(means.values()) / len(means) if means else float("nan")


def half_up(value: float, digits: int = 2) -> float:
    """A decimal number rounded the way the published table of this task is: halves up."""
    return float(Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _contradict(first: str, second: str) -> bool:
    answers = {first.strip().lower(), second.strip().lower()}
    return answers == {"yes", "no"}


def _options(answer: str) -> frozenset[str]:
    return frozenset(option.strip().lower() for option in answer.split(","))
