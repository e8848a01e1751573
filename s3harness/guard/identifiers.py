"""Identifiers in a text, whatever the data set: names by what stands around them, dates, ages, numbers, files.

An identifier is *certain*, and refused, or *likely*, and a person has to look at it. The search goes by rules and word
lists in the YAML files beside this module; it uses no model, so that it can run on every text in linear time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from s3harness.guard.normal import NormalText, normalize

Tier = Literal["certain", "likely"]

KINDS = {
    "media": "what looks like media or encoded data",
    "address": "an address of a host",
    "e-mail": "an e-mail address",
    "path": "a path or a file name",
    "date": "a date",
    "time of day": "a time of day",
    "age": "an age over 89",
    "name": "what looks like a person's name",
    "number": "a long number",
    "serial": "the serial number of a device",
    "place": "a postal address or a place",
    "key": "a key or a token",
    "private": "a private word of the data set",
}
"""The kinds of identifiers and what a finding of each says."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier: where it stands in the text that was searched."""

    kind: str
    tier: Tier
    start: int
    end: int


def find_identifiers(text: str) -> list[Identifier]:
    """Return the identifiers in a text by their places; of those that overlap, the certain or longer one."""
    return identifiers_in(normalize(text))


def identifiers_in(text: NormalText, more: Iterable[tuple[int, int]] = ()) -> list[Identifier]:
    """Return the identifiers in a normal form, ``more`` being the places of private words in it."""
    from s3harness.guard.pattern import word_starts
    from s3harness.guard.people import names
    from s3harness.guard.rules import by_rules

    plain = text.text
    starts = word_starts(plain)
    private = [Identifier("private", "certain", start, end) for start, end in more]
    chosen = _without_overlaps([*private, *by_rules(plain, starts), *names(plain, starts)])
    return [Identifier(one.kind, one.tier, *text.span(one.start, one.end)) for one in chosen]


def _without_overlaps(identifiers: list[Identifier]) -> Iterator[Identifier]:
    """The identifiers by place; certain ones first, then longer ones, keep others from the same place."""
    ranked = sorted(identifiers, key=lambda one: (one.tier != "certain", one.start - one.end))
    chosen: list[Identifier] = []
    for one in ranked:
        at = bisect_left(chosen, one.start, key=lambda other: other.start)
        is_after = at == 0 or chosen[at - 1].end <= one.start
        if is_after and (at == len(chosen) or one.end <= chosen[at].start):
            chosen.insert(at, one)
    yield from chosen
