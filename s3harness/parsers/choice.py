"""One of a closed list of answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from s3harness.parsers.reading import Reading
from s3harness.parsers.text import AnswerText, answer_text

NEGATIONS = (
    "not",
    "no",
    "non",
    "never",
    "neither",
    "nor",
    "cannot",
    "without",
    "unable",
    "rather than",
    "instead of",
    "except",
)

MAX_HITS = 20
"""Mentions whose sentence is looked at; a text that names its answer more often is repeating itself."""


def choice(text: str, choices: Sequence[str]) -> Reading:
    """Read which of ``choices`` a text names.

    Clean when the text is one of them but for case, blanks and punctuation; repaired when exactly one occurs in it as
    whole words. A longer choice hides the shorter ones inside it ("left arm", "arm"). Unparsable when none or several
    occur, or when the one that does stands in a sentence that negates something ("not left").
    """
    answer = answer_text(text)
    bare = _letters(answer.text)
    if not bare:
        return Reading.unparsable("empty")
    exact = [c for c in choices if _letters(c) == bare]
    if len(exact) == 1:
        return Reading.noted(exact[0], answer.notes)
    return _within(answer, tuple(choices))


def is_negated(text: str, start: int, spared: Sequence[str] = ()) -> bool:
    """Whether the sentence around position ``start`` holds a negation, ``spared`` words not counted as such."""
    before = max(text.rfind(mark, 0, start) for mark in _SENTENCE_MARKS) + 1
    after = [at for mark in _SENTENCE_MARKS if (at := text.find(mark, start)) >= 0]
    sentence = text[before : min(after, default=len(text))]
    found = _NEGATION.finditer(sentence)
    return any(match.group().casefold() not in spared for match in found)


_SENTENCE_MARKS = (".", "!", "?", ";", "\n")
_NEGATION = re.compile(rf"(?<![^\W_])(?:{'|'.join(NEGATIONS)}|[^\W_]{{1,8}}n['’]t)(?![^\W_])", re.IGNORECASE)


def _within(answer: AnswerText, choices: tuple[str, ...]) -> Reading:
    longest_first = tuple(sorted(choices, key=len, reverse=True))
    found = _pattern(longest_first).finditer(answer.text)
    hits = [(longest_first[(match.lastindex or 1) - 1], match.start()) for match in found]
    named = sorted({name for name, _ in hits})
    if not named:
        return Reading.unparsable("none of the choices")
    if len(named) > 1:
        return Reading.unparsable(f"several of the choices: {', '.join(named)}")
    spared = tuple(c.casefold() for c in choices)
    if any(is_negated(answer.text, start, spared) for _, start in hits[:MAX_HITS]):
        return Reading.unparsable(f"{named[0]}, but in a sentence with a negation")
    return Reading.repaired(named[0], "; ".join([*answer.notes, "found in a longer text"]))


@lru_cache(maxsize=64)
def _pattern(choices: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join("(" + r"[\s_-]+".join(map(re.escape, c.split())) + ")" for c in choices)
    return re.compile(rf"(?<![^\W_])(?ai:{words})(?![^\W_])")


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
