"""The result of an aggregator, and access to the fields of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from s3harness.types import Answer


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value for one item, made of the answers to its windows.

    ``value`` is ``None`` where the answers do not hold it, and ``note`` says why; otherwise ``note`` says how the
    answers were combined. ``probability`` is that of the value's positive class ("yes"), in 0–1, ``None`` where no
    answer has one.
    """

    value: object | None
    note: str = ""
    probability: float | None = None


def field(answer: Answer, key: str) -> object:
    """Return the ``key`` of an answer that is an object, and the answer itself where it is not."""
    return answer.value.get(key) if isinstance(answer.value, Mapping) else answer.value


def closed_part(answer: Answer, key: str = "answer") -> str:
    """Return the answer's closed part, in lower case without blanks at its ends."""
    return str(field(answer, key)).strip().casefold()


def free_part(answer: Answer, key: str = "justification") -> str:
    """Return the answer's free part, "" where it has none."""
    text = answer.value.get(key) if isinstance(answer.value, Mapping) else None
    return "" if text is None else str(text).strip()


def unique(texts: Sequence[str]) -> list[str]:
    """Return the non-empty texts, each once, in order of first appearance; blanks and case make no difference."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(" ".join(text.casefold().split()), text)
    first.pop("", None)
    return list(first.values())


def highest_probability(answers: Sequence[Answer]) -> float | None:
    """Return the highest of the answers' probabilities, ``None`` where none has one."""
    return max((a.probability for a in answers if a.probability is not None), default=None)
