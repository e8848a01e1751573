"""Cuts the audio of a clip out of that of its video, at any rate."""

from __future__ import annotations

import math
from math import gcd

import numpy as np

from s3harness.media.frames import RATE, Samples

CONTEXT_S = 1
"""Seconds of audio on either side of a clip that go through the resampling filter with it."""


def cut(audio: Samples, start_s: float, end_s: float, rate: int) -> Samples:
    """Return the samples from ``start_s`` to ``end_s`` at ``rate`` a second, with silence where ``audio`` has ended.

    ``audio`` has :data:`RATE` samples a second. The result is always round((end_s − start_s) · rate) samples long. The
    filter reads a little beyond both ends, so that a clip sounds as that part of the whole does.
    """
    n = round((end_s - start_s) * rate)
    if rate == RATE:
        first = round(start_s * RATE)
        return _padded(audio, first, first + n)
    # A whole number of input samples that is a whole number of output samples too, so that the clip begins on one.
    step = RATE // gcd(rate, RATE)
    context = CONTEXT_S * RATE // step * step
    first, last = round(start_s * RATE) - context, math.ceil(end_s * RATE) + context
    resampled = _resampled(_padded(audio, first, last), rate)
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


def _padded(audio: Samples, first: int, last: int) -> Samples:
    """Return ``audio[first:last]`` with zeros where there are no samples."""
    out = np.zeros(last - first, np.float32)
    begin, end = max(first, 0), min(last, len(audio))
    if begin < end:
        out[begin - first : end - first] = audio[begin:end]
    return out
