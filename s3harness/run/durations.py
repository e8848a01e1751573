"""Measures the durations of videos for which the data set's table gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.errors import MediaError
from s3harness.media.thread_pool import Job, Pool
from s3harness.run.worker_spec import media_store
from s3harness.types import Video

if TYPE_CHECKING:
    from s3harness.media import MediaStore

UNKNOWN_DURATION_S = 1.0
"""Nominal duration of a video that cannot be read and has no annotated time."""


def with_durations(videos: Iterable[Video], open_store: Callable[[], MediaStore] = media_store) -> tuple[Video, ...]:
    """Return the videos, with durations measured where the table gives none.

    ``open_store`` is called if there is a file to measure. A file that cannot be read, or hangs, gets a nominal
    duration, so that its items are planned, fail, and are counted.
    """
    videos = tuple(videos)
    # To open a store makes the cache directory and imports PyAV: most data sets need neither.
    if not any(map(_is_unknown, videos)):
        return videos
    store = open_store()
    pool = Pool(store.options.n_workers(), store.options.stall_s, store.options.total_s)
    try:
        jobs = {video.id: _measure(video.path, store, pool) for video in videos if _is_unknown(video)}
        return tuple(replace(v, duration_s=_duration_s(v, jobs[v.id])) if v.id in jobs else v for v in videos)
    finally:
        pool.close()


def _is_unknown(video: Video) -> bool:
    return video.duration_s is None


def _measure(path: Path | None, store: MediaStore, pool: Pool) -> Job[float] | None:
    return pool.submit(lambda heartbeat: store.duration_s(path, heartbeat)) if path else None


def _duration_s(video: Video, job: Job[float] | None) -> float:
    try:
        if job is not None:
            return job.result()
    except MediaError:
        pass
    # The annotated times must lie within the video, or its items would not be planned.
    times = [t for label in video.features.values() for t in (label.start_s, label.end_s) if t is not None]
    return max([*times, video.offset_s or 0.0, UNKNOWN_DURATION_S])
