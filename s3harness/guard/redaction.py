"""Redaction of private words in what is written: errors of libraries often quote the path of a file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

PATH = re.compile(r"""(?:[A-Za-z]:)?(?:/|\\\\|~/)[^\s'",;:)\]]+""")
MAX_LENGTH = 300
READ_LENGTH = 10_000
"""Characters of a text that are looked at; what is left of the others would not be shown."""


class Redactor:
    """Replacement of private words, and of whatever matches a pattern, by an ellipsis.

    ``words`` are those of a data set, or secrets such as a key. ``patterns`` are paths unless others are named.
    """

    def __init__(
        self,
        words: Iterable[str],
        *,
        patterns: Sequence[re.Pattern[str]] = (PATH,),
        max_length: int = MAX_LENGTH,
    ) -> None:
        by_length = defaultdict[int, set[str]](set)
        for word in words:
            by_length[len(word)].add(word)
        # The longest first, so that a name within a longer one leaves no rest; single letters would blot out all text.
        self._longest_first = sorted(((n, group) for n, group in by_length.items() if n > 1), reverse=True)
        self._patterns = tuple(patterns)
        self._max_length = max_length

    def __call__(self, text: str) -> str:
        """Return the text without them, on one line, at most ``max_length`` characters."""
        text = " ".join(text[:READ_LENGTH].split())
        text = "".join(self._pieces(text))
        for pattern in self._patterns:
            text = pattern.sub("…", text)
        return text[: self._max_length]

    def _pieces(self, text: str) -> Iterator[str]:
        # Looked up place by place: a large data set has more words than one regular expression can hold.
        place = 0
        while place < len(text):
            length = next((n for n, words in self._longest_first if text[place : place + n] in words), 0)
            yield "…" if length else text[place]
            place += length or 1
