"""Cuts a clip's sound out of a video's, at any rate."""

from __future__ import annotations

import math
from math import gcd

import numpy as np

from s3harness.media.frames import RATE, Samples

CONTEXT_S = 1
"""So much sound around a clip goes through the filter with it."""


def cut(line: Samples, start_s: float, end_s: float, rate: int) -> Samples:
    """The samples from ``start_s`` to ``end_s`` at ``rate`` a second, silence where the line has ended.

    Always round((end_s − start_s) · rate) samples long. The filter reads a little beyond both ends, so that a clip
    sounds as that part of the whole does.
    """
    n = round((end_s - start_s) * rate)
    if rate == RATE:
        first = round(start_s * RATE)
        return _padded(line, first, first + n)
    step = RATE // gcd(rate, RATE)
    context = CONTEXT_S * RATE // step * step
    first, last = round(start_s * RATE) - context, math.ceil(end_s * RATE) + context
    resampled = _resampled(_padded(line, first, last), rate)
    skip = context * rate // RATE
    return np.ascontiguousarray(resampled[skip : skip + n])


def _resampled(samples: Samples, rate: int) -> Samples:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="flt", layout="mono", rate=rate)
    frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate = RATE
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.asarray(out.to_ndarray(), np.float32).reshape(-1) for out in frames])


def _padded(line: Samples, first: int, last: int) -> Samples:
    """``line[first:last]`` with zeros where the line has no samples."""
    out = np.zeros(last - first, np.float32)
    begin, end = max(first, 0), min(last, len(line))
    if begin < end:
        out[begin - first : end - first] = line[begin:end]
    return out
