"""Keeping private words out of what is written: errors of libraries like to quote the file they choke on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

_PATH = re.compile(r"""(?:[A-Za-z]:)?(?:/|\\\\|~/)[^\s'",;:)\]]+""")
MAX_LENGTH = 300
READ_LENGTH = 10_000
"""Characters of a text that are looked at; what is left of the others would not be shown."""


class Redactor:
    """Takes the private words of a data set, and whatever looks like a path, out of a text."""

    def __init__(self, words: Iterable[str]) -> None:
        by_length = defaultdict[int, set[str]](set)
        for word in words:
            by_length[len(word)].add(word)
        self._longest_first = sorted(((n, found) for n, found in by_length.items() if n > 1), reverse=True)

    def __call__(self, text: str) -> str:
        """The text without them, on one line, at most ``MAX_LENGTH`` characters."""
        text = " ".join(text[:READ_LENGTH].split())
        return _PATH.sub("…", "".join(self._pieces(text)))[:MAX_LENGTH]

    def _pieces(self, text: str) -> Iterator[str]:
        """Looked up place by place: a large data set has more words than a pattern can hold."""
        place = 0
        while place < len(text):
            length = next((n for n, words in self._longest_first if text[place : place + n] in words), 0)
            yield "…" if length else text[place]
            place += length or 1
