"""Picks the frames nearest to wanted times out of a stream of frames, holding one frame at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

Frame = TypeVar("Frame")

TIE_S = 1e-6
"""Distances that differ by no more are equal: at 25 frames a second, 0.5 s lies between two of them."""


class Pick(NamedTuple, Generic[Frame]):
    """A frame, its time, and the wanted times that it is nearest to, in seconds."""

    frame: Frame
    time_s: float
    wanted: tuple[float, ...]


class NearestFramePicker(Generic[Frame]):
    """Takes frames in order of time; returns each when it is certain to be the nearest to some wanted time.

    Of two frames equally near the earlier is taken, so the pick for a time depends on nothing but that time.
    """

    def __init__(self, wanted: Iterable[float]) -> None:
        self._wanted = sorted(set(wanted))
        self._next = 0
        self._held: tuple[Frame, float] | None = None

    @property
    def is_done(self) -> bool:
        """Tell whether every wanted time has its frame."""
        return self._next == len(self._wanted)

    def push(self, frame: Frame, time_s: float) -> Pick[Frame] | None:
        """Take the next frame; return the one before it, if it is wanted. A frame out of order is passed over."""
        held, pick = self._held, None
        if held is not None:
            # Damaged files repeat times, or turn them back.
            if time_s <= held[1]:
                return None
            pick = self._pick((held[1] + time_s) / 2 + TIE_S)
        self._held = (frame, time_s)
        return pick

    def finish(self, until_s: float) -> Pick[Frame] | None:
        """Return the last frame, if it is wanted; it stands for times up to ``until_s``, as no frame follows."""
        return self._pick(until_s) if self._held is not None else None

    def _pick(self, until_s: float) -> Pick[Frame] | None:
        assert self._held is not None
        first = self._next
        while self._next < len(self._wanted) and self._wanted[self._next] <= until_s:
            self._next += 1
        frame, time_s = self._held
        return Pick(frame, time_s, tuple(self._wanted[first : self._next])) if self._next > first else None
