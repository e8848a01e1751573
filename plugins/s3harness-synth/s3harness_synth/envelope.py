"""When a sign is on: the one function of time that drives the pixels, the sound and the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import acos, pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VISIBLE_WEIGHT = 0.1
"""The weight (in 0–1) from which on a sign counts as seen."""

_VISIBLE_SHARE = acos(1 - 2 * VISIBLE_WEIGHT) / pi
"""Share of a ramp that is over when the weight reaches :data:`VISIBLE_WEIGHT`."""

PAUSE_RAMP_S = 0.4
"""How long a movement takes to come to rest in a pause, and to come back."""

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
        """The weight at each of ``times`` (any shape), raised-cosine ramps between 0 and 1."""
        rising, falling = self._ramps()
        up = _ramp(times - self.start_s, rising)
        down = _ramp(self.end_s - times, falling)
        weight = np.minimum(up, down)
        for first, last in self.pauses:
            weight = weight * (1 - np.minimum(_ramp(times - first, PAUSE_RAMP_S), _ramp(last - times, PAUSE_RAMP_S)))
        return weight

    @property
    def interval(self) -> tuple[float, float]:
        """First and last moment at which the weight is at least :data:`VISIBLE_WEIGHT`: what the truth says."""
        rising, falling = self._ramps()
        return self.start_s + _VISIBLE_SHARE * rising, self.end_s - _VISIBLE_SHARE * falling

    @classmethod
    def spanning(
        cls, onset_s: float, offset_s: float, ramp_s: float, pauses: tuple[tuple[float, float], ...] = ()
    ) -> Envelope:
        """The envelope whose :attr:`interval` is from ``onset_s`` to ``offset_s``, with ramps of ``ramp_s`` or less."""
        ramp = min(ramp_s, _LONGEST_RAMP_SHARE * (offset_s - onset_s))
        return cls(onset_s - _VISIBLE_SHARE * ramp, offset_s + _VISIBLE_SHARE * ramp, ramp, ramp, pauses)

    def paused(self, first_s: float, last_s: float) -> Envelope:
        """The same with one more pause."""
        return replace(self, pauses=(*self.pauses, (first_s, last_s)))

    def moved(self, start_s: float, end_s: float) -> Envelope:
        """The same ramps over another span; pauses outside it are dropped."""
        kept = tuple(p for p in self.pauses if p[0] > start_s + self.rise_s and p[1] < end_s - self.fall_s)
        return replace(self, start_s=start_s, end_s=end_s, pauses=kept)

    def _ramps(self) -> tuple[float, float]:
        longest = _LONGEST_RAMP_SHARE * (self.end_s - self.start_s)
        return min(self.rise_s, longest), min(self.fall_s, longest)


def _ramp(elapsed: Array, length: float) -> Array:
    share = np.clip(elapsed / max(length, 1e-6), 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(np.pi * share)
