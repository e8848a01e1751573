"""Whether a sign is present in a video, from what is said of its windows."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate, field, highest_probability, unique, word, words_of
from s3harness.types import Answer


def any_yes(answers: Sequence[Answer], key: str = "answer", all_na: str = "na") -> Aggregate:
    """Say "yes" if any window says yes, ``all_na`` if every window says "na", else "no".

    The authors' release knows no "na" for a video and has "no" there: ``all_na="no"``. The probability is the highest
    of the windows' probabilities of "yes".
    """
    said = [word(answer, key) for answer in answers]
    value = "yes" if "yes" in said else all_na if set(said) == {"na"} else "no"
    return Aggregate(value, f"{said.count('yes')} of {len(said)} windows say yes", highest_probability(answers))


def any_yes_rationale(
    answers: Sequence[Answer],
    key: str = "answer",
    text_key: str = "justification",
    joiner: str = " ",
    all_na: str = "na",
    first_text: bool = False,
) -> Aggregate:
    """``{"present", "text"}``: :func:`any_yes`, and the reasons given in the windows that say yes, in all if none does.

    Reasons that were given before are left out. With ``first_text`` the text is the first window's alone, as the
    authors' release has it for a question about the beginning of the video; theirs joins with " || ".
    """
    presence = any_yes(answers, key, all_na)
    agreeing = [answer for answer in answers if word(answer, key) == "yes"] or list(answers)
    texts = [words_of(answer, text_key) for answer in (answers[:1] if first_text else agreeing)]
    return Aggregate(
        {"present": presence.value, "text": joiner.join(unique(texts))}, presence.note, presence.probability
    )


def first_window(answers: Sequence[Answer], key: str = "answer") -> Aggregate:
    """What is said of the first window, for a question about the beginning of the video.

    No value where the first window (``clip.index`` 0) is not among the answers: a later one cannot stand in for it.
    """
    first = answers[0]
    if not _is_first(first):
        return Aggregate(None, FIRST_IS_MISSING)
    return Aggregate(field(first, key), "the first window", first.probability)


def first_window_rationale(
    answers: Sequence[Answer], key: str = "answer", text_key: str = "justification"
) -> Aggregate:
    """``{"present", "text"}`` of the first window; no value where :func:`first_window` has none."""
    first = answers[0]
    if not _is_first(first):
        return Aggregate(None, FIRST_IS_MISSING)
    value = {"present": field(first, key), "text": words_of(first, text_key)}
    return Aggregate(value, "the first window", first.probability)


FIRST_IS_MISSING = "the first window gave no readable answer"


def _is_first(answer: Answer) -> bool:
    return answer.clip is None or answer.clip.index == 0
