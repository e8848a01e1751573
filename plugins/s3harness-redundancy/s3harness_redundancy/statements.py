"""Statements of a text, and those that repeat an earlier one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

MIN_SIMILARITY = 90.0
"""The similarity, 0–100, from which two statements repeat each other; of their words in alphabetical order."""
MIN_WORDS = 3
"""A statement of fewer words, such as the heading "Tonic phase.", repeats nothing."""
MAX_COMPARISONS = 400
"""A statement is compared with so many different ones before it, and found equal to any one before it."""

_END_OF_STATEMENT = re.compile(r"(?<=[.!?;])\s+|\n+")
# An apostrophe or hyphen inside a word belongs to it: "patient's", "left-sided".
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_DECISIVE = frozenset(
    {
        *("left", "right", "both", "bilateral", "bilaterally"),
        *("no", "not", "without", "never", "none", "absent", "neither", "nor"),
        *("before", "after", "during", "onset", "end", "first", "second", "third", "initially", "finally"),
        *("arm", "arms", "leg", "legs", "head", "face", "eye", "eyes", "mouth", "hand", "hands"),
    }
)
"""Words that change the meaning of a sentence, as numbers do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or a part that a semicolon or a new line ends: its text, and its words in lower case."""

    text: str
    words: tuple[str, ...]

    @property
    def decisive_words(self) -> tuple[str, ...]:
        """The words that have to be the same in a repetition, in alphabetical order."""
        return tuple(sorted(word for word in self.words if word in _DECISIVE or word[0].isdigit()))


def split_statements(text: str) -> list[Statement]:
    """Split a text into its statements, in their order; parts without a word are left out."""
    # White space is normalised for the quotes in the evidence.
    parts = (" ".join(part.split()) for part in _END_OF_STATEMENT.split(text))
    statements = (Statement(part, tuple(_WORD.findall(part.casefold()))) for part in parts)
    return [statement for statement in statements if statement.words]


def find_repetitions(statements: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    """(later, earlier) for each statement that repeats an earlier one, in the order of the text.

    One repeats another if, with their words in alphabetical order, nine in ten of their letters are the same, and the
    same words of side, place, order and negation and the same numbers are in both: "the left arm stiffens" and "the
    right arm stiffens" are two statements, and so is "the left arm stiffens again, after a minute".
    """
    firsts: dict[tuple[str, ...], Statement] = {}
    repetitions = []
    for statement in statements:
        if len(statement.words) < MIN_WORDS:
            continue
        # Sorted, so that the same words in another order are the same statement.
        key = tuple(sorted(statement.words))
        earlier = firsts.get(key) or _similar(statement, key, firsts)
        if earlier is None:
            firsts[key] = statement
        else:
            repetitions.append((statement, earlier))
    return repetitions


def _similar(statement: Statement, key: tuple[str, ...], firsts: dict[tuple[str, ...], Statement]) -> Statement | None:
    decisive_words, words = statement.decisive_words, " ".join(key)
    # The last ones only: a text of thousands of statements would take time that grows with their square.
    for other, earlier in list(firsts.items())[-MAX_COMPARISONS:]:
        if earlier.decisive_words == decisive_words and fuzz.ratio(words, " ".join(other), score_cutoff=MIN_SIMILARITY):
            return earlier
    return None
