"""The clip in which the asked-for sign is seen."""

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
    """One clip around the subject, or none where its time is not annotated.

    A feature is shown from ``margin_s`` before its start to ``margin_s`` after its end. ``onset_body_part`` is asked
    of the beginning of the seizure: from ``lead_s`` before the onset to ``window_s`` after it. Two frames a second
    unless told otherwise; further options in :mod:`s3harness.samplers.frames`.
    """
    margin, window = finite("margin_s", margin_s, at_least=0), positive("window_s", window_s)
    lead, how = finite("lead_s", lead_s, at_least=0), sampling(default_fps=2, **frames)
    if subject == ONSET_BODY_PART:
        onset = event_s(video, SEIZURE_ONSET)
        span = None if onset is None else (onset - lead, onset + window)
    else:
        interval = interval_s(video, subject)
        span = None if interval is None else (interval[0] - margin, interval[1] + margin)
    clip = None if span is None else how.clip(video, *span)
    return [] if clip is None else [clip]
