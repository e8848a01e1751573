"""The primitives of movement: hold, oscillation, jerk, drift and sway, each on one channel under one envelope.

A channel is a joint angle in degrees or a parameter of the face; its track is the value at each frame. Holds and
drifts pull a track towards a target, in the order in which they are applied; the others add to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from s3harness_synth.envelope import Array, Envelope

Tracks = dict[str, Array]

BURST_S = 0.2
"""Length of one jerk: muscle bursts of clonic seizures last about 0.2 s whatever the rate (Conradsen and others)."""

_BURST_RISE_SHARE = 0.4
# At the edges of the envelope a jerk would else be too small to be seen, though the sign is on.
_LEAST_JERK = 0.35
# After four correlation times less than 2 % of the memory is left.
_REMEMBERED = 4.0


class Primitive(Protocol):
    """One movement of one channel."""

    def apply(self, tracks: Tracks, times: Array) -> None:
        """Change the track of the channel in place; ``times`` in seconds, shape (frames,)."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Pull a channel to ``target`` and keeps it there while the envelope is up."""

    channel: str
    target: float
    envelope: Envelope

    def apply(self, tracks: Tracks, times: Array) -> None:
        """Blend towards the target by the envelope's weight."""
        track = tracks[self.channel]
        track += self.envelope.weight(times) * (self.target - track)


@dataclass(frozen=True, slots=True)
class Drift:
    """Move a channel to ``target`` between two moments and leaves it there."""

    channel: str
    target: float
    start_s: float
    end_s: float

    def apply(self, tracks: Tracks, times: Array) -> None:
        """Blend towards the target and stays."""
        track = tracks[self.channel]
        # An hour after the last frame, so that the ramp down is never seen.
        forever = Envelope(self.start_s, float(times[-1]) + 3600.0, self.end_s - self.start_s)
        track += forever.weight(times) * (self.target - track)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oscillation:
    """A sine of ``frequency`` Hz, which glides to ``final_frequency`` over the envelope's span where one is given."""

    channel: str
    amplitude: float
    frequency: float
    envelope: Envelope
    phase: float = 0.0
    final_frequency: float | None = None
    wander: float = 0.0
    seed: int = 0

    def apply(self, tracks: Tracks, times: Array) -> None:
        """Add the sine; ``wander`` in 0–1 lets amplitude and phase stray from cycle to cycle."""
        wave = np.sin(self._phase(times))
        if self.wander:
            wave = wave * (1 + self.wander * _wandering(times, 1.5, self.seed))
        tracks[self.channel] += self.amplitude * self.envelope.weight(times) * wave

    def _phase(self, times: Array) -> Array:
        elapsed = np.clip(times - self.envelope.start_s, 0, None)
        # An envelope without length must not divide by zero.
        length = max(self.envelope.end_s - self.envelope.start_s, 1e-6)
        slope = ((self.final_frequency or self.frequency) - self.frequency) / length
        # The integral of a frequency that glides linearly over the envelope.
        cycles = self.frequency * elapsed + 0.5 * slope * np.minimum(elapsed, length) ** 2
        if self.wander:
            # A path of its own: with that of the amplitude, the larger cycles would always be the early ones.
            cycles = cycles + 0.25 * self.wander * _wandering(times, 1.0, self.seed + 1)
        return 2 * np.pi * cycles + self.phase


@dataclass(frozen=True, slots=True)
class Jerk:
    """A brief burst at each of ``moments`` (seconds): fast up, slower back; the envelope gives the height."""

    channel: str
    amplitude: float
    moments: tuple[float, ...]
    envelope: Envelope
    burst_s: float = BURST_S

    def apply(self, tracks: Tracks, times: Array) -> None:
        """Add the bursts."""
        tracks[self.channel] += self.amplitude * pulses(times, self.moments, self.burst_s) * self._height(times)

    def _height(self, times: Array) -> Array:
        weight = self.envelope.weight(times)
        return np.where(weight > 0, np.maximum(weight, _LEAST_JERK), 0.0)


@dataclass(frozen=True, slots=True)
class Sway:
    """An Ornstein–Uhlenbeck wandering of standard deviation ``spread`` and correlation time ``tau_s``."""

    channel: str
    spread: float
    tau_s: float
    envelope: Envelope
    seed: int

    def apply(self, tracks: Tracks, times: Array) -> None:
        """Add the wandering."""
        tracks[self.channel] += self.spread * self.envelope.weight(times) * _wandering(times, self.tau_s, self.seed)


def pulses(times: Array, moments: Sequence[float], burst_s: float) -> Array:
    """Return bumps of height 1 that begin at each of ``moments`` and last ``burst_s``, in the shape of ``times``."""
    total = np.zeros_like(times)
    for moment in moments:
        first, last = np.searchsorted(times, (moment, moment + burst_s))
        # The higher of two bumps, not their sum: a fast rhythm must not lift the limb beyond its reach.
        total[first:last] = np.maximum(total[first:last], _bump((times[first:last] - moment) / burst_s))
    return total


def jerk_moments(start_s: float, end_s: float, frequency: float, final_frequency: float) -> tuple[float, ...]:
    """Return moments of jerks whose gaps lengthen exponentially from 1/frequency to 1/final_frequency over the span.

    The silent periods between clonic bursts grow exponentially towards the end of a seizure (surface EMG studies).
    """
    growth = np.log(frequency / final_frequency) / max(end_s - start_s, 1e-6)
    moments, moment = [], start_s
    # The last burst is over when the sign is.
    while moment + BURST_S <= end_s:
        moments.append(moment)
        moment += float(np.exp(growth * (moment - start_s))) / frequency
    return tuple(moments)


def _bump(share: Array) -> Array:
    up = np.sin(0.5 * np.pi * share / _BURST_RISE_SHARE)
    down = np.cos(0.5 * np.pi * (share - _BURST_RISE_SHARE) / (1 - _BURST_RISE_SHARE))
    return np.asarray(np.where(share < _BURST_RISE_SHARE, up, down))


def _wandering(times: Array, tau_s: float, seed: int) -> Array:
    """A stationary Ornstein–Uhlenbeck path of variance about 1, without the tremble of its finest steps."""
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    memory = np.exp(-step / tau_s)
    kernel = np.sqrt(1 - memory**2) * memory ** np.arange(int(_REMEMBERED * tau_s / step) + 2)
    noise = np.random.default_rng(seed).standard_normal(len(times) + len(kernel) - 1)
    path = np.convolve(noise, kernel, mode="valid")
    return np.convolve(path, (0.25, 0.5, 0.25), mode="same")
