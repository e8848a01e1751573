"""The sampler of a window around an onset that the model has to find."""

from __future__ import annotations

import hashlib
import math
from typing import Literal, Unpack

from s3harness.errors import SpecError
from s3harness.samplers.events import event_s
from s3harness.samplers.frames import FrameOptions, duration_s, finite, positive, sampling
from s3harness.types import Clip, Video

PLACEMENTS = ("jittered", "centred")


def onset_window(
    video: Video,
    subject: str,
    *,
    window_s: float = 60,
    placement: Literal["jittered", "centred"] = "jittered",
    seed: int = 0,
    margin_s: float = 5,
    **frames: Unpack[FrameOptions],
) -> list[Clip]:
    """Return one window around the onset of ``subject`` (a feature, ``seizure_onset``, ``seizure_offset``), or none.

    ``centred`` puts the event in the middle, where always answering "the middle" is right. ``jittered`` puts it
    anywhere at least ``margin_s`` from both ends, drawn from a hash of (seed, video id, subject), and starts on a whole
    second where it can, so that the windows of one video share frames. Either is moved to lie within the video, and a
    video shorter than the window is one window. One frame a second by default; further options in
    :mod:`s3harness.samplers.frames`.
    """
    window, margin = positive("window_s", window_s), finite("margin_s", margin_s, at_least=0)
    options = sampling(default_fps=1, **frames)
    if placement not in PLACEMENTS:
        raise SpecError(f"sampler: placement must be {' or '.join(PLACEMENTS)}, not {placement!r}")
    if placement == "jittered" and 2 * margin > window:
        raise SpecError(f"sampler: margin_s ({margin_s}) must be at most half of window_s ({window_s})")
    event = event_s(video, subject)
    if event is None:
        return []
    start = event - window / 2
    if placement == "jittered":
        start = _draw(event - window + margin, event - margin, f"{seed}\0{video.id}\0{subject}")
    # Moved, not cut: the length of the window must not give away that the event lies near an end of the video.
    start = max(0.0, min(start, duration_s(video) - window))
    clip = options.clip(video, start, start + window)
    return [] if clip is None else [clip]


def _draw(low: float, high: float, name: str) -> float:
    """A whole number within low–high, or any number if there is none, that depends on ``name`` alone."""
    # A hash instead of a random generator: a video's window does not depend on which other videos are sampled.
    digest = hashlib.sha256(name.encode()).digest()
    share = int.from_bytes(digest[:6], "big") / 2**48
    first, last = math.ceil(low), math.floor(high)
    if first > last:
        return low + share * (high - low)
    return float(first + math.floor(share * (last - first + 1)))
