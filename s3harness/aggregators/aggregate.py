"""What an aggregator returns, and how it looks into answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from s3harness.types import Answer


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value for one item, made of the answers to its windows.

    ``value`` is ``None`` where the answers at hand do not hold it, and ``note`` says why; otherwise ``note`` says how
    they were put together. ``probability`` is that of the value's positive class ("yes"), in 0–1, where it is known.
    """

    value: object | None
    note: str = ""
    probability: float | None = None


def field(answer: Answer, key: str) -> object:
    """The ``key`` of an answer that is an object, and the answer itself where it is not."""
    return answer.value.get(key) if isinstance(answer.value, Mapping) else answer.value


def word(answer: Answer, key: str = "answer") -> str:
    """The answer's closed part, in lower case without blanks at its ends."""
    return str(field(answer, key)).strip().casefold()


def words_of(answer: Answer, key: str = "justification") -> str:
    """The answer's free part, "" where it has none."""
    text = answer.value.get(key) if isinstance(answer.value, Mapping) else None
    return "" if text is None else str(text).strip()


def unique(texts: Sequence[str]) -> list[str]:
    """The non-empty texts, each once, in order of first appearance; blanks and case do not make a difference."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(" ".join(text.casefold().split()), text)
    first.pop("", None)
    return list(first.values())


def highest_probability(answers: Sequence[Answer]) -> float | None:
    """The highest of the answers' probabilities, ``None`` where none has one."""
    return max((a.probability for a in answers if a.probability is not None), default=None)
