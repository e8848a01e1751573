"""How many requests a server takes at once: found by trying, as a network finds how much it carries."""

from __future__ import annotations

FIRST = 8
"""A window begins with this, if it may be so large."""


class Window:
    """Grows by one with each answer until there is trouble, then by one a round; trouble halves it (AIMD).

    Its size lies between 1 and ``most``. Trouble with requests that were sent before the last cut says nothing new.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._size = min(self._most, float(FIRST))
        self._calm = self._most
        self._cut_at = float("-inf")

    @property
    def size(self) -> int:
        """How many requests may be under way."""
        return int(self._size)

    def grow(self) -> None:
        """An answer came."""
        self._size = min(self._most, self._size + (1.0 if self._size < self._calm else 1.0 / self._size))

    def cut(self, sent_at: float, now: float) -> None:
        """A request that was sent at a time met with trouble."""
        if sent_at < self._cut_at:
            return
        self._size = self._calm = max(1.0, self._size / 2)
        self._cut_at = now
