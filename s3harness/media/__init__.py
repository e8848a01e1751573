"""Media: probes videos, decodes them once, and hands backends the frames and the audio of a clip.

The calls that a run makes for each video::

    store = MediaStore(default_cache_dir())
    store.prepare(video, clips)  # in a worker thread
    pixels, timestamps = store.frames(clip)
    store.release(video.id)

PyAV is imported when a video is decoded, not before.
"""

from __future__ import annotations

from s3harness.media.cache import DEFAULT_BUDGET_BYTES, CacheUsage, cache_usage, default_cache_dir, purge
from s3harness.media.frames import Frames, Jpegs, Pixels, Samples
from s3harness.media.geometry import Size, fit
from s3harness.media.probe import VideoInfo, probe
from s3harness.media.store import MediaStore

__all__ = [
    "DEFAULT_BUDGET_BYTES",
    "CacheUsage",
    "Frames",
    "Jpegs",
    "MediaStore",
    "Pixels",
    "Samples",
    "Size",
    "VideoInfo",
    "cache_usage",
    "default_cache_dir",
    "fit",
    "probe",
    "purge",
]
