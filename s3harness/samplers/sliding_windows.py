"""The sampler of overlapping windows over the whole video."""

from __future__ import annotations

from functools import lru_cache
from typing import Unpack

from s3harness.errors import SpecError
from s3harness.samplers.frames import FrameOptions, Sampling, duration_s, positive, sampling
from s3harness.types import Clip, Video


def sliding_windows(
    video: Video, subject: str, *, window_s: float = 30, stride_s: float = 25, **frames: Unpack[FrameOptions]
) -> list[Clip]:
    """Return windows of ``window_s`` seconds, one every ``stride_s`` from 0, whatever the subject.

    The last window ends with the video and is shorter; none lies wholly within the one before it, and a video no longer
    than a window has one. 30 s every 25 s, and 60 s every 55 s, are the windows of the authors' release. Two frames a
    second by default; further options in :mod:`s3harness.samplers.frames`.
    """
    window, stride = positive("window_s", window_s), positive("stride_s", stride_s)
    if stride > window:
        raise SpecError(f"sampler: stride_s ({stride_s}) must be at most window_s ({window_s}), or gaps go unseen")
    return list(_windows(sampling(default_fps=2, **frames), video.id, duration_s(video), window, stride))


# Cached: every question about a video cuts it into the same windows.
@lru_cache(maxsize=64)
def _windows(options: Sampling, video_id: str, length_s: float, window: float, stride: float) -> tuple[Clip, ...]:
    starts = [0.0]
    while starts[-1] + window < length_s:
        # A product, not a running sum, whose rounding errors would grow with the video.
        starts.append(len(starts) * stride)
    # A Video of id and length alone: a cache key with the whole video would hold its annotations in memory.
    video = Video(video_id, "", duration_s=length_s)
    clips = [options.clip(video, start, start + window, index) for index, start in enumerate(starts)]
    return tuple(clip for clip in clips if clip is not None)
