"""Reading a time series: smoothing, lasting changes, stretches above a level, rhythm."""

from __future__ import annotations

import numpy as np

from s3harness.backends.kinematics.picture import Array

QUIET_PERCENTILE = 25
"""The level at rest is taken from the quieter quarter of a clip: few clips show a seizure throughout."""


def smooth(values: Array, reach: int) -> Array:
    """The running median over 2·reach + 1 values, shorter at the ends."""
    if reach < 1 or len(values) < 3:
        return np.asarray(values, np.float64)
    padded = np.pad(np.asarray(values, np.float64), reach, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1))


def rest_level(values: Array) -> float:
    """The level at rest."""
    return float(np.percentile(values, QUIET_PERCENTILE)) if len(values) else 0.0


def stretches(times: Array, active: Array, bridge_s: float = 0.0) -> list[tuple[float, float]]:
    """Start and end in seconds of each run of true values; gaps of up to ``bridge_s`` are bridged."""
    found: list[tuple[float, float]] = []
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    for time, is_on in zip(times, active, strict=True):
        if not is_on:
            continue
        if found and time - found[-1][1] <= bridge_s + 0.5 * step:
            found[-1] = (found[-1][0], float(time) + step)
        else:
            found.append((float(time), float(time) + step))
    return found


def longest(found: list[tuple[float, float]]) -> tuple[float, float] | None:
    """The longest stretch, the first of equals; ``None`` if there is none."""
    return max(found, key=lambda one: one[1] - one[0], default=None)


def change_scores(times: Array, values: Array, span_s: float) -> Array:
    """For each value, the mean of the ``span_s`` seconds from it on less that of the ``span_s`` before it."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    first = np.searchsorted(times, times - span_s)
    last = np.searchsorted(times, times + span_s)
    after = (total[last] - total[index]) / np.maximum(last - index, 1)
    before = (total[index] - total[first]) / np.maximum(index - first, 1)
    return np.where(index > first, after - before, 0.0)


def pace(times: Array, values: Array) -> tuple[float, float]:
    """The strongest rhythm of a series: frequency in Hz and strength 0–1 (0, 0 where too short or constant)."""
    if len(values) < 8 or np.ptp(values) <= 0 or times[-1] <= times[0]:
        return 0.0, 0.0
    centred = values - values.mean()
    power = np.abs(np.fft.rfft(centred * np.hanning(len(values)))) ** 2
    power[0] = 0.0
    best = int(np.argmax(power))
    near = power[max(1, best - 1) : best + 2].sum()
    rate = (len(times) - 1) / (times[-1] - times[0])
    return best * rate / len(values), float(near / power.sum()) if power.sum() > 0 else 0.0
