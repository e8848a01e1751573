"""Search of texts for private words and identifiers, without what a person has looked at and called harmless."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from s3harness.guard.identifiers.find import identifiers_in
from s3harness.guard.identifiers.kinds import Identifier
from s3harness.guard.identifiers.normalization import normalize
from s3harness.guard.identifiers.own_words import OwnWords

CONTEXT = 24
"""Characters on each side of an identifier that are shown, and that a confirmation is about."""
MAX_CACHED_TEXTS = 50_000
"""Texts whose identifiers are cached: most texts of a run stand there many times."""


@dataclass
class Search:
    """A search for the private words of a data set and for whatever looks like an identifier.

    ``allowed`` are exact pieces of text that are harmless wherever they stand; ``reviewed`` are fingerprints of likely
    identifiers that somebody looked at where they stand (:func:`fingerprint`).
    """

    words: OwnWords | None = None
    allowed: Collection[str] = ()
    reviewed: Collection[str] = ()
    _cache: dict[str, Sequence[Identifier]] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, text: str) -> Sequence[Identifier]:
        """Return the identifiers in a text by their places, without those that are harmless."""
        if text not in self._cache:
            # Emptied whole when full: to keep an order of use would cost time at each look-up.
            if len(self._cache) >= MAX_CACHED_TEXTS:
                self._cache.clear()
            self._cache[text] = self._identifiers(text)
        return self._cache[text]

    def _identifiers(self, text: str) -> Sequence[Identifier]:
        normal = normalize(self._without_allowed(text))
        private = self.words.find(normal) if self.words else ()
        return [one for one in identifiers_in(normal, private) if not self._is_reviewed(text, one)]

    def _without_allowed(self, text: str) -> str:
        pieces = [re.escape(piece) for piece in self.allowed if piece]
        # Replaced by blanks of the same length, so that places in the text stay as they are.
        return re.sub("|".join(pieces), lambda piece: " " * len(piece[0]), text) if pieces else text

    def _is_reviewed(self, text: str, one: Identifier) -> bool:
        # A certain identifier stays one, whoever confirmed it: nobody's look makes a telephone number harmless.
        return one.tier == "likely" and bool(self.reviewed) and fingerprint(text, one) in self.reviewed


def fingerprint(text: str, one: Identifier) -> str:
    """Return a digest of an identifier and of the text around it, by which a person confirms it."""
    around = text[max(0, one.start - CONTEXT) : one.end + CONTEXT]
    return hashlib.sha256(f"{one.kind}\0{around}".encode()).hexdigest()[:16]


def masked(text: str, one: Identifier, others: Sequence[Identifier]) -> str:
    """Return an identifier with the text around it, showing only the first character of every identifier.

    ``others`` are all those of the text, by place and without overlaps.
    """
    start, end = max(0, one.start - CONTEXT), min(len(text), one.end + CONTEXT)
    characters = list(text[start:end])
    # By bisection: a text with thousands of identifiers would otherwise take a walk through all for each of them.
    first = bisect_right(others, start, key=lambda other: other.end)
    for other in takewhile(lambda other: other.start < end, islice(others, first, None)):
        for at in range(max(other.start + 1, start), min(other.end, end)):
            characters[at - start] = "•" if text[at].isalnum() else text[at]
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return " ".join(f"{before}{''.join(characters)}{after}".split())
