"""A set of short texts that takes a fifth of the memory of Python's own."""

from __future__ import annotations

import numpy as np

FEWEST_ADDED = 65_536
SHARE_ADDED = 8
"""What is added is put in order when it is so many, or this part of what is in order already, whichever is more."""


class CompactIdSet:
    """The ids of answered requests, of which a large run has millions: in order and end to end, the latest in a set."""

    def __init__(self, fewest_added: int = FEWEST_ADDED) -> None:
        self._fewest = fewest_added
        self._ordered = np.empty(0, "S1")
        self._latest: set[str] = set()

    def __len__(self) -> int:
        return len(self._ordered) + len(self._latest)

    def __contains__(self, text: str) -> bool:
        if text in self._latest:
            return True
        wanted = text.encode()
        place = int(self._ordered.searchsorted(np.bytes_(wanted)))
        return place < len(self._ordered) and bool(self._ordered[place] == wanted)

    def add(self, text: str) -> None:
        """Know a text from now on."""
        if text in self:
            return
        self._latest.add(text)
        if len(self._latest) >= max(self._fewest, len(self._ordered) // SHARE_ADDED):
            latest = np.array([one.encode() for one in self._latest])
            self._ordered = np.sort(np.concatenate([self._ordered, np.sort(latest)]), kind="stable")
            self._latest.clear()
