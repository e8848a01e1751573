"""Picks the pictures nearest to wanted times out of a stream of pictures, holding one picture at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

Frame = TypeVar("Frame")

TIE_S = 1e-6
"""Distances that differ by no more are equal: at 25 pictures a second, 0.5 s lies between two of them."""


class Pick(NamedTuple, Generic[Frame]):
    """A picture, its time, and the wanted times it is nearest to, in seconds."""

    picture: Frame
    time_s: float
    wanted: tuple[float, ...]


class NearestFramePicker(Generic[Frame]):
    """Push pictures in order of time; each comes back when it is known to be the nearest to some wanted time.

    Of two pictures equally near the earlier is taken, so what is picked for a time depends on nothing but that time.
    """

    def __init__(self, wanted: Iterable[float]) -> None:
        self._wanted = sorted(set(wanted))
        self._next = 0
        self._held: tuple[Frame, float] | None = None

    @property
    def is_done(self) -> bool:
        """Whether every wanted time has its picture."""
        return self._next == len(self._wanted)

    def push(self, picture: Frame, time_s: float) -> Pick[Frame] | None:
        """Take the next picture; give the one before it, if it is wanted. A picture out of order is passed over."""
        held, pick = self._held, None
        if held is not None:
            if time_s <= held[1]:
                return None
            pick = self._pick((held[1] + time_s) / 2 + TIE_S)
        self._held = (picture, time_s)
        return pick

    def finish(self, until_s: float) -> Pick[Frame] | None:
        """No picture follows: give the last one, if it is wanted. It stands for times up to ``until_s``."""
        return self._pick(until_s) if self._held is not None else None

    def _pick(self, until_s: float) -> Pick[Frame] | None:
        assert self._held is not None
        first = self._next
        while self._next < len(self._wanted) and self._wanted[self._next] <= until_s:
            self._next += 1
        picture, time_s = self._held
        return Pick(picture, time_s, tuple(self._wanted[first : self._next])) if self._next > first else None
