"""A rule of the search: a pattern, and the conditions under which a text is searched for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from s3harness.guard.identifiers.kinds import Tier

_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A pattern of a kind; a match counts if ``check`` returns true for it.

    It is tried only on texts that have one of the characters ``needs`` ("digit" for any digit) and a word that begins
    with one of ``starts``, its first three letters folded by case, where these are given.
    """

    kind: str
    tier: Tier
    pattern: re.Pattern[str]
    needs: str = ""
    starts: frozenset[str] = frozenset()
    check: Callable[[re.Match[str]], bool] | None = None


def rule(
    kind: str,
    tier: Tier,
    pattern: str,
    needs: str = "",
    *,
    case: bool = False,
    starts: frozenset[str] = frozenset(),
    check: Callable[[re.Match[str]], bool] | None = None,
) -> Rule:
    """Return a rule whose pattern is read without regard to case unless ``case`` says so."""
    compiled = re.compile(pattern, 0 if case else re.IGNORECASE)
    return Rule(kind=kind, tier=tier, pattern=compiled, needs=needs, starts=starts, check=check)


def starts_of(pattern: str) -> frozenset[str]:
    """Return the first three letters of each alternative of a regular expression, those before any group in it."""
    # Three letters are enough for most rules not to be tried on most sentences.
    plain = re.sub(r"\\.", "", pattern.casefold())
    # From the innermost group outwards, as one substitution removes groups without groups in them.
    while plain != (plain := re.sub(r"\([^()]*\)", "", plain)):
        pass
    first = (_LETTERS.search(alternative) for alternative in plain.split("|"))
    return frozenset(word[0][:3] for word in first if word)


def word_starts(text: str) -> frozenset[str]:
    """Return the first three letters of each word of a text, case aside."""
    return frozenset(word[:3] for word in _LETTERS.findall(text.casefold()))
