"""Aggregators of presence: one yes or no for a video, from the answers to its windows."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate, closed_part, field, free_part, highest_probability, unique
from s3harness.types import Answer


def any_yes(answers: Sequence[Answer], key: str = "answer", all_na: str = "na") -> Aggregate:
    """Return "yes" if any window says yes, ``all_na`` if every window says "na", else "no".

    The authors' release has no "na" for a video and writes "no" there: ``all_na="no"``. The probability is the highest
    of the windows' probabilities of "yes".
    """
    labels = [closed_part(answer, key) for answer in answers]
    # "na" beside a "no" is no answer to the video: one window saw enough to say no.
    value = "yes" if "yes" in labels else all_na if set(labels) == {"na"} else "no"
    return Aggregate(value, f"{labels.count('yes')} of {len(labels)} windows say yes", highest_probability(answers))


def any_yes_rationale(
    answers: Sequence[Answer],
    key: str = "answer",
    text_key: str = "justification",
    joiner: str = " ",
    all_na: str = "na",
    first_text: bool = False,
) -> Aggregate:
    """Return ``{"present", "text"}``: :func:`any_yes`, and the reasons of the windows that say yes, or else of all.

    Repeated reasons are left out. With ``first_text`` the text is the first window's alone, as in the authors' release
    for a question about the beginning of the video; the release joins with " || ".
    """
    presence = any_yes(answers, key, all_na)
    # The reasons of windows that say no would contradict a yes for the video.
    agreeing = [answer for answer in answers if closed_part(answer, key) == "yes"] or list(answers)
    texts = [free_part(answer, text_key) for answer in (answers[:1] if first_text else agreeing)]
    return Aggregate(
        {"present": presence.value, "text": joiner.join(unique(texts))}, presence.note, presence.probability
    )


def first_window(answers: Sequence[Answer], key: str = "answer") -> Aggregate:
    """Return the answer to the first window, for a question about the beginning of the video.

    No value where the first window (``clip.index`` 0) is not among the answers: a later one cannot stand in for it.
    """
    first = answers[0]
    if not _is_first(first):
        return Aggregate(None, FIRST_IS_MISSING)
    return Aggregate(field(first, key), "the first window", first.probability)


def first_window_rationale(
    answers: Sequence[Answer], key: str = "answer", text_key: str = "justification"
) -> Aggregate:
    """Return ``{"present", "text"}`` of the first window; no value where :func:`first_window` has none."""
    first = answers[0]
    if not _is_first(first):
        return Aggregate(None, FIRST_IS_MISSING)
    value = {"present": field(first, key), "text": free_part(first, text_key)}
    return Aggregate(value, "the first window", first.probability)


FIRST_IS_MISSING = "the first window gave no readable answer"


def _is_first(answer: Answer) -> bool:
    # An answer without a clip is of no window among several.
    return answer.clip is None or answer.clip.index == 0
