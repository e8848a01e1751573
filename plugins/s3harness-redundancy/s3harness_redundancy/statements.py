"""The statements of a text, and which of them repeat an earlier one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

ALIKE = 90.0
"""Two statements this much alike repeat each other: 0–100, of their words in alphabetical order."""
SHORTEST = 3
"""A statement of fewer words ("Tonic phase.") repeats nothing."""
COMPARED = 400
"""A statement is compared with so many different ones before it; with an equal one however far it is."""

_ENDS = re.compile(r"(?<=[.!?;])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_DECISIVE = frozenset(
    {
        *("left", "right", "both", "bilateral", "bilaterally"),
        *("no", "not", "without", "never", "none", "absent", "neither", "nor"),
        *("before", "after", "during", "onset", "end", "first", "second", "third", "initially", "finally"),
        *("arm", "arms", "leg", "legs", "head", "face", "eye", "eyes", "mouth", "hand", "hands"),
    }
)
"""Words that make another statement of the same sentence, as numbers do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or what a semicolon or a new line sets apart: as it is written, and its words in small letters."""

    text: str
    words: tuple[str, ...]

    @property
    def decisive(self) -> tuple[str, ...]:
        """The words of which none may differ, in alphabetical order."""
        return tuple(sorted(word for word in self.words if word in _DECISIVE or word[0].isdigit()))


def statements(text: str) -> list[Statement]:
    """The statements of a text in their order; what holds no word is none."""
    parts = (" ".join(part.split()) for part in _ENDS.split(text))
    made = (Statement(part, tuple(_WORD.findall(part.casefold()))) for part in parts)
    return [statement for statement in made if statement.words]


def repeats(told: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    """(later, earlier) for each statement that repeats an earlier one, in the order of the text.

    One repeats another if, as their words stand in alphabetical order, nine in ten of their letters are the same, and
    the same words of side, place, order and denial and the same numbers are in both: "the left arm stiffens" and "the
    right arm stiffens" are two statements, and so is "the left arm stiffens again, after a minute".
    """
    seen: dict[tuple[str, ...], Statement] = {}
    found = []
    for statement in told:
        if len(statement.words) < SHORTEST:
            continue
        key = tuple(sorted(statement.words))
        earlier = seen.get(key) or _alike(statement, key, seen)
        if earlier is None:
            seen[key] = statement
        else:
            found.append((statement, earlier))
    return found


def _alike(statement: Statement, key: tuple[str, ...], seen: dict[tuple[str, ...], Statement]) -> Statement | None:
    decisive, words = statement.decisive, " ".join(key)
    for other, earlier in list(seen.items())[-COMPARED:]:
        if earlier.decisive == decisive and fuzz.ratio(words, " ".join(other), score_cutoff=ALIKE):
            return earlier
    return None
