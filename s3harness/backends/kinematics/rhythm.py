"""The rhythm of a movement, where the frames come fast enough to show one."""

from __future__ import annotations

import numpy as np

from s3harness.backends.kinematics.picture import Array, Grid

LIVELIEST_CELLS = 512
"""Cells whose brightness is followed: those that a shaking limb sweeps over, its turning points included."""

SLOWEST_HZ = 0.5
"""What is slower is a change of posture, or the beginning and end of a movement."""

OVERTONE = 0.3
"""A lower peak with this share of the highest one's power is the rhythm: a limb that swings over a cell covers it twice
in a cycle, so the double frequency may be the stronger."""

FEWEST_FRAMES = 16
LEAST_RATE_HZ = 6.0
"""Below this a 3 Hz jerk, the middle of the clonic range, is no longer told from a slower one."""


def find_rhythm(cells: Grid, moved: Grid, times: Array) -> tuple[float, float]:
    """Frequency in Hz and its share (0–1) of the power of the liveliest cells; (0, 0) where none can be told.

    The frequency is the peak of the summed power spectrum of the brightness of single cells, frames × rows × columns.
    """
    span = float(times[-1] - times[0])
    if len(times) < FEWEST_FRAMES or span <= 0 or (len(times) - 1) / span < LEAST_RATE_HZ or not moved.any():
        return 0.0, 0.0
    liveliest = np.argsort(moved.sum(0).ravel())[-LIVELIEST_CELLS:]
    followed = cells.reshape(len(cells), -1)[:, liveliest]
    steady = followed - followed.mean(0)
    power = (np.abs(np.fft.rfft(steady * np.hanning(len(cells))[:, None], axis=0)) ** 2).sum(1)
    rate = (len(times) - 1) / span
    power[: max(1, int(np.ceil(SLOWEST_HZ * len(cells) / rate)))] = 0.0
    total = float(power.sum())
    if total <= 0:
        return 0.0, 0.0
    peak = _lowest_peak(power)
    return peak * rate / len(cells), float(power[peak - 1 : peak + 2].sum()) / total


def _lowest_peak(power: Array) -> int:
    """The place of the lowest local maximum that is no less than :data:`OVERTONE` of the highest."""
    inner = power[1:-1]
    is_peak = (inner >= power[:-2]) & (inner >= power[2:]) & (inner >= OVERTONE * power.max())
    return 1 + int(np.argmax(is_peak)) if is_peak.any() else int(np.argmax(power))
