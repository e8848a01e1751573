"""Kinds and tiers of identifiers, and one identifier in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tier = Literal["certain", "likely"]
"""``certain`` is refused at once; a person has to look at what is ``likely``."""

# The keys are written into manifests; messages have the names.
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
"""Kind of identifier → its name in messages."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier, from ``start`` to ``end`` (exclusive, in characters) of the text that was searched."""

    kind: str
    tier: Tier
    start: int
    end: int
