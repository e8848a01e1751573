"""How long videos are of which the table does not say it: their files are measured."""

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


def with_durations(videos: Iterable[Video], open_store: Callable[[], MediaStore] = media_store) -> tuple[Video, ...]:
    """The videos, those without a length with the one that their file has; ``open_store`` is called if there are any.

    A file that cannot be read, or hangs, gets a nominal length, so that its items are planned, fail, and are counted.
    """
    videos = tuple(videos)
    if not any(map(_is_unknown, videos)):
        return videos
    store = open_store()
    pool = Pool(store.options.n_workers(), store.options.stall_s, store.options.total_s)
    try:
        jobs = {video.id: _measured(video.path, store, pool) for video in videos if _is_unknown(video)}
        return tuple(replace(v, duration_s=_length(v, jobs[v.id])) if v.id in jobs else v for v in videos)
    finally:
        pool.close()


def _is_unknown(video: Video) -> bool:
    return video.duration_s is None


def _measured(path: Path | None, store: MediaStore, pool: Pool) -> Job[float] | None:
    return pool.submit(lambda beat: store.duration_s(path, beat)) if path else None


def _length(video: Video, job: Job[float] | None) -> float:
    try:
        if job is not None:
            return job.result()
    except MediaError:
        pass
    times = [t for label in video.features.values() for t in (label.start_s, label.end_s) if t is not None]
    return max([*times, video.offset_s or 0.0, UNKNOWN_DURATION_S])
