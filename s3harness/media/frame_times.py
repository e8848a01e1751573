"""Times of a clip's frames, in the form in which the video processors of the Hugging Face libraries take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from s3harness.types import Clip

TICKS_PER_S = 1000
"""Frames a second of the clock by which frame times are given to a processor.

Processors take the time of a frame as its number divided by a frame rate; at a rate this high every time is exact to
the millisecond.
"""


def frame_metadata(clip: Clip, timestamps: Sequence[float]) -> dict[str, Any]:
    """Return video metadata that give the time of each frame, in seconds from the start of the clip.

    ``timestamps`` are the times of the frames in the video, in seconds.
    """
    return {
        # Such that processors which divide it by the frame rate arrive at the frames' own rate.
        "total_num_frames": max(round(len(timestamps) / frame_rate(clip) * TICKS_PER_S), 1),
        "fps": float(TICKS_PER_S),
        "duration": clip.end_s - clip.start_s,
        # The frame nearest to the clip's start may lie just before it.
        "frames_indices": [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in timestamps],
        "video_backend": "s3harness",
    }


def frame_rate(clip: Clip) -> float:
    """Return the frames a second by the requested times; of a single frame, one in the whole clip."""
    # By the requested times and not by those of the decoded frames: processors count whole grid steps by the rate, and
    # one that is a thousandth too high would put every step one too early.
    times = clip.timestamps
    span_s = times[-1] - times[0]
    return (len(times) - 1) / span_s if span_s > 0 else len(times) / (clip.end_s - clip.start_s)
