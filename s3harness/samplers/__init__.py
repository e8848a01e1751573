"""Samplers: the parts of a video, and the frames of them, that a model sees.

A sampler is a pure function ``(video: Video, subject: str, **params) -> list[Clip]``. It reads the annotations and the
length of the video and opens no file. The clips come in order of time; a subject that is not annotated has none.
"""

from __future__ import annotations

from s3harness.samplers.event_clip import event_clip
from s3harness.samplers.frames import FrameOptions, Sampling, sampling
from s3harness.samplers.onset_window import onset_window
from s3harness.samplers.sliding_windows import sliding_windows
from s3harness.samplers.whole import uniform_frames, whole_video

__all__ = [
    "FrameOptions",
    "Sampling",
    "event_clip",
    "onset_window",
    "sampling",
    "sliding_windows",
    "uniform_frames",
    "whole_video",
]
