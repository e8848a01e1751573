"""Operations on a time series: smoothing, stretches of true values, lasting changes."""

from __future__ import annotations

import numpy as np

from s3harness_kinematics.grid import Array, Mask


def smooth(values: Array, reach: int) -> Array:
    """Return the running median over 2·reach + 1 values, with the first and the last value repeated at the ends."""
    if reach < 1 or len(values) < 3:
        return np.asarray(values, np.float64)
    padded = np.pad(np.asarray(values, np.float64), reach, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1))


def stretches(times: Array, active: Array | Mask, bridge_s: float = 0.0) -> list[tuple[float, float]]:
    """Return start and end in seconds of each run of true values; gaps of up to ``bridge_s`` are bridged."""
    runs: list[tuple[float, float]] = []
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    for time, is_on in zip(times, active, strict=True):
        if not is_on:
            continue
        # Half a step more than the gap: times are sums of floats.
        if runs and time - runs[-1][1] <= bridge_s + 0.5 * step:
            runs[-1] = (runs[-1][0], float(time) + step)
        else:
            runs.append((float(time), float(time) + step))
    return runs


def change_scores(times: Array, values: Array, span_s: float) -> Array:
    """Return for each value the mean of the ``span_s`` seconds from it on less that of the ``span_s`` before it."""
    # Differences of a cumulative sum: linear in the number of frames, whatever the span is.
    total = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    first = np.searchsorted(times, times - span_s)
    last = np.searchsorted(times, times + span_s)
    after = (total[last] - total[index]) / np.maximum(last - index, 1)
    before = (total[index] - total[first]) / np.maximum(index - first, 1)
    return np.where(index > first, after - before, 0.0)


def lasting(values: Array, times: Array, span_s: float) -> Array:
    """Return the running median over ``span_s`` seconds."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return smooth(values, round(0.5 * span_s / step)) if step > 0 else np.asarray(values, np.float64)
