"""The samplers of the whole video as one clip."""

from __future__ import annotations

from typing import Unpack

from s3harness.samplers.frames import FrameOptions, duration_s, sampling
from s3harness.types import Clip, Video


def uniform_frames(video: Video, subject: str, **frames: Unpack[FrameOptions]) -> list[Clip]:
    """Return the whole video in 60 frames (or ``frames``) at the centres of equal segments, whatever the subject.

    Further options in :mod:`s3harness.samplers.frames`.
    """
    clip = sampling(default_frames=60, **frames).clip(video, 0.0, duration_s(video))
    return [] if clip is None else [clip]


def whole_video(video: Video, subject: str, **frames: Unpack[FrameOptions]) -> list[Clip]:
    """Return the whole video at 2 frames a second (or ``fps``), whatever the subject.

    Further options in :mod:`s3harness.samplers.frames`.
    """
    clip = sampling(default_fps=2, **frames).clip(video, 0.0, duration_s(video))
    return [] if clip is None else [clip]
