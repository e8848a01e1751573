"""The sampler of the clip around an annotated sign."""

from __future__ import annotations

from typing import Unpack

from s3harness.samplers.events import SEIZURE_ONSET, event_s, interval_s
from s3harness.samplers.frames import FrameOptions, finite, positive, sampling
from s3harness.types import Clip, Video

ONSET_BODY_PART = "onset_body_part"


def event_clip(
    video: Video,
    subject: str,
    *,
    margin_s: float = 1,
    window_s: float = 30,
    lead_s: float = 2,
    **frames: Unpack[FrameOptions],
) -> list[Clip]:
    """Return one clip around the subject, or none where its time is not annotated.

    A feature has the clip from ``margin_s`` before its start to ``margin_s`` after its end. ``onset_body_part`` is a
    question about the beginning of the seizure: from ``lead_s`` before the onset to ``window_s`` after it. Two frames a
    second by default; further options in :mod:`s3harness.samplers.frames`.
    """
    margin, window = finite("margin_s", margin_s, at_least=0), positive("window_s", window_s)
    lead, options = finite("lead_s", lead_s, at_least=0), sampling(default_fps=2, **frames)
    # The body part of the onset has no annotated interval of its own.
    if subject == ONSET_BODY_PART:
        onset = event_s(video, SEIZURE_ONSET)
        span = None if onset is None else (onset - lead, onset + window)
    else:
        interval = interval_s(video, subject)
        span = None if interval is None else (interval[0] - margin, interval[1] + margin)
    clip = None if span is None else options.clip(video, *span)
    return [] if clip is None else [clip]
