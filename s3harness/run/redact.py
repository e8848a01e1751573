"""Keeping private words out of what is written: errors of libraries like to quote the file they choke on."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PATH = re.compile(r"""(?:[A-Za-z]:)?(?:/|\\\\|~/)[^\s'",;:)\]]+""")
MAX_LENGTH = 300


class Redactor:
    """Takes the private words of a data set, and whatever looks like a path, out of a text."""

    def __init__(self, words: Iterable[str]) -> None:
        longest_first = sorted((word for word in words if len(word) > 1), key=len, reverse=True)
        self._words = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text without them, on one line, at most ``MAX_LENGTH`` characters."""
        text = " ".join(text.split())
        if self._words is not None:
            text = self._words.sub("…", text)
        return _PATH.sub("…", text)[:MAX_LENGTH]
