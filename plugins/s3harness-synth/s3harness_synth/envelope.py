"""The envelope of a sign: the one function of time that drives the pixels, the sound and the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import acos, pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VISIBLE_WEIGHT = 0.1
"""The weight (0–1) from which on a sign counts as visible."""

_VISIBLE_SHARE = acos(1 - 2 * VISIBLE_WEIGHT) / pi
"""Share of a ramp that is over when the weight reaches :data:`VISIBLE_WEIGHT`."""

PAUSE_RAMP_S = 0.4
"""Seconds in which a movement comes to rest for a pause, and in which it comes back."""

# Less than a half: the ramps never meet, so that every envelope reaches its full weight.
_LONGEST_RAMP_SHARE = 0.45


@dataclass(frozen=True, slots=True)
class Envelope:
    """A weight in 0–1 over time: up in ``rise_s`` from ``start_s``, down in ``fall_s`` to ``end_s``.

    ``pauses`` are (from, to) spans in which the movement rests without the sign being over. All in seconds from the
    start of the video.
    """

    start_s: float
    end_s: float
    rise_s: float = 0.5
    fall_s: float = 0.5
    pauses: tuple[tuple[float, float], ...] = ()

    def weight(self, times: Array) -> Array:
        """Return the weight at each of ``times`` (any shape), raised-cosine ramps between 0 and 1."""
        rising, falling = self._ramps()
        up = _ramp(times - self.start_s, rising)
        down = _ramp(self.end_s - times, falling)
        weight = np.minimum(up, down)
        for first, last in self.pauses:
            weight = weight * (1 - np.minimum(_ramp(times - first, PAUSE_RAMP_S), _ramp(last - times, PAUSE_RAMP_S)))
        return weight

    @property
    def interval(self) -> tuple[float, float]:
        """First and last second at which the weight is at least :data:`VISIBLE_WEIGHT`: onset and offset."""
        rising, falling = self._ramps()
        return self.start_s + _VISIBLE_SHARE * rising, self.end_s - _VISIBLE_SHARE * falling

    @classmethod
    def spanning(
        cls, onset_s: float, offset_s: float, ramp_s: float, pauses: tuple[tuple[float, float], ...] = ()
    ) -> Envelope:
        """Return the envelope whose :attr:`interval` is ``onset_s`` to ``offset_s``; ramps take up to ``ramp_s``."""
        # A short sign has short ramps: two long ones would leave it no time at its full weight.
        ramp = min(ramp_s, _LONGEST_RAMP_SHARE * (offset_s - onset_s))
        return cls(onset_s - _VISIBLE_SHARE * ramp, offset_s + _VISIBLE_SHARE * ramp, ramp, ramp, pauses)

    def paused(self, first_s: float, last_s: float) -> Envelope:
        """Return the same envelope with one more pause."""
        return replace(self, pauses=(*self.pauses, (first_s, last_s)))

    def moved(self, start_s: float, end_s: float) -> Envelope:
        """Return the same ramps over another span; pauses outside it are dropped."""
        pauses = tuple(p for p in self.pauses if p[0] > start_s + self.rise_s and p[1] < end_s - self.fall_s)
        return replace(self, start_s=start_s, end_s=end_s, pauses=pauses)

    def _ramps(self) -> tuple[float, float]:
        longest = _LONGEST_RAMP_SHARE * (self.end_s - self.start_s)
        return min(self.rise_s, longest), min(self.fall_s, longest)


def _ramp(elapsed: Array, length: float) -> Array:
    # A ramp without length is a step, not a division by zero.
    share = np.clip(elapsed / max(length, 1e-6), 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(np.pi * share)
