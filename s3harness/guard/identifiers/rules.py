"""Identifiers that have a form: dates, ages, numbers, addresses, files, keys.

Every pattern is bounded, so that the time grows with the length of a text and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from s3harness.guard.identifiers.addresses_and_paths import codes, files, hosts
from s3harness.guard.identifiers.dates import ages, dates, times
from s3harness.guard.identifiers.kinds import Identifier
from s3harness.guard.identifiers.numbers import numbers, phones
from s3harness.guard.identifiers.pattern import Rule
from s3harness.guard.identifiers.places import places

_DECIMAL = re.compile(r"(?<![\w.])\d{1,5}\.\d{2,40}(?![\w.]*\d|[^\W\d])")
_DIGIT = re.compile(r"\d")


def by_rules(text: str, starts: frozenset[str]) -> Iterator[Identifier]:
    """Yield the identifiers of a normal form that have a form; ``starts`` is :func:`.word_starts` of it."""
    # Most patterns need a digit, and most sentences have none: one search saves dozens.
    has_digit = bool(_DIGIT.search(text))
    shown = _DECIMAL.sub(_without_fraction, text) if has_digit else text
    for rule in _rules():
        if _is_tried(rule, shown, has_digit) and not (rule.starts and rule.starts.isdisjoint(starts)):
            for match in rule.pattern.finditer(shown):
                if rule.check is None or rule.check(match):
                    yield Identifier(rule.kind, rule.tier, *match.span())


def _is_tried(rule: Rule, text: str, has_digit: bool) -> bool:
    if rule.needs == "digit":
        return has_digit
    return not rule.needs or any(character in text for character in rule.needs)


def _without_fraction(decimal: re.Match[str]) -> str:
    """Return a decimal of the same length that has one digit after its point."""
    # A measured number may have as many digits as a telephone number, and is nobody's.
    whole, _, fraction = decimal[0].partition(".")
    return f"{whole}.{fraction[:1]}{'·' * (len(fraction) - 1)}"


@cache
def _rules() -> tuple[Rule, ...]:
    return (*codes(), *hosts(), *files(), *dates(), *times(), *ages(), *numbers(), *phones(), *places())
