"""Annotated times of a sign or of the seizure in a video."""

from __future__ import annotations

from s3harness.types import Video

SEIZURE_ONSET = "seizure_onset"
SEIZURE_OFFSET = "seizure_offset"


def event_s(video: Video, subject: str) -> float | None:
    """Return the time of ``subject`` in seconds: a feature's start, or the onset or offset of the seizure.

    ``None`` where no time is annotated, or one that lies outside the video.
    """
    if subject == SEIZURE_ONSET:
        return _inside(video, video.onset_s)
    if subject == SEIZURE_OFFSET:
        return _inside(video, video.offset_s)
    label = video.features.get(subject)
    return _inside(video, label.start_s) if label else None


def interval_s(video: Video, feature: str) -> tuple[float, float] | None:
    """Return the annotated start and end of a feature in seconds; ``None`` if one is missing or they are reversed."""
    label = video.features.get(feature)
    start = event_s(video, feature)
    if label is None or start is None or label.end_s is None or label.end_s < start:
        return None
    return start, label.end_s


def _inside(video: Video, seconds: float | None) -> float | None:
    # A time outside of the video is a slip of the annotation: no clip can show that moment.
    if seconds is None or seconds < 0 or (video.duration_s is not None and seconds > video.duration_s):
        return None
    return seconds
