"""Overlapping windows over the whole video."""

from __future__ import annotations

from functools import lru_cache
from typing import Unpack

from s3harness.errors import SpecError
from s3harness.samplers.frames import FrameOptions, Sampling, duration_s, positive, sampling
from s3harness.types import Clip, Video


def sliding_windows(
    video: Video, subject: str, *, window_s: float = 30, stride_s: float = 25, **frames: Unpack[FrameOptions]
) -> list[Clip]:
    """Windows of ``window_s`` seconds, one every ``stride_s`` from 0, whatever the subject.

    The last one ends with the video and is shorter; none lies wholly within the one before it, and a video no longer
    than a window has one. 30 s every 25 s, and 60 s every 55 s, are the windows of the authors' release. Two frames a
    second unless told otherwise; further options in :mod:`s3harness.samplers.frames`.
    """
    window, stride = positive("window_s", window_s), positive("stride_s", stride_s)
    if stride > window:
        raise SpecError(f"sampler: stride_s ({stride_s}) must be at most window_s ({window_s}), or gaps go unseen")
    return list(_windows(sampling(default_fps=2, **frames), video.id, duration_s(video), window, stride))


@lru_cache(maxsize=64)
def _windows(how: Sampling, video_id: str, length_s: float, window: float, stride: float) -> tuple[Clip, ...]:
    """Kept, as every question about a video cuts it into the same windows."""
    starts = [0.0]
    while starts[-1] + window < length_s:
        starts.append(len(starts) * stride)
    video = Video(video_id, "", duration_s=length_s)
    clips = [how.clip(video, start, start + window, index) for index, start in enumerate(starts)]
    return tuple(clip for clip in clips if clip is not None)
