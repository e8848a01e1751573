"""Search of a text for identifiers, whatever the data set: names by the words around them, dates, ages, numbers, files.

The search goes by rules and word lists in the YAML files beside this module; it uses no model, so that it can run on
every text in linear time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from s3harness.guard.identifiers.kinds import Identifier
from s3harness.guard.identifiers.normalization import NormalText, normalize
from s3harness.guard.identifiers.pattern import word_starts
from s3harness.guard.identifiers.people import names
from s3harness.guard.identifiers.rules import by_rules


def find_identifiers(text: str) -> list[Identifier]:
    """Return the identifiers in a text by their places; of those that overlap, the certain or longer one."""
    return identifiers_in(normalize(text))


def identifiers_in(text: NormalText, more: Iterable[tuple[int, int]] = ()) -> list[Identifier]:
    """Return the identifiers in a normal form, ``more`` being the places of private words in it."""
    plain = text.text
    starts = word_starts(plain)
    private = [Identifier("private", "certain", start, end) for start, end in more]
    chosen = _without_overlaps([*private, *by_rules(plain, starts), *names(plain, starts)])
    return [Identifier(one.kind, one.tier, *text.span(one.start, one.end)) for one in chosen]


def _without_overlaps(identifiers: list[Identifier]) -> Iterator[Identifier]:
    """Yield the identifiers by place; of those that overlap, the certain or longer one."""
    ranked = sorted(identifiers, key=lambda one: (one.tier != "certain", one.start - one.end))
    # Kept sorted by place, and searched by bisection: a text of 100,000 characters may hold thousands of them.
    chosen: list[Identifier] = []
    for one in ranked:
        at = bisect_left(chosen, one.start, key=lambda other: other.start)
        is_after = at == 0 or chosen[at - 1].end <= one.start
        if is_after and (at == len(chosen) or one.end <= chosen[at].start):
            chosen.insert(at, one)
    yield from chosen
