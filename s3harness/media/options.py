"""The options of media preparation that a user can set (``--media KEY=VALUE``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from s3harness.options import read_options, seconds, whole
from s3harness.types import Clip

MEGABYTE = 1_000_000
BYTES_PER_PIXEL = 3
BYTES_PER_SECOND = 24_000 * 4
"""Bytes of a second of audio as it is cached: float32 at :data:`s3harness.media.frames.RATE`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOptions:
    """``workers`` videos are decoded at once (0: as many as the processor has room for), each by ``threads`` threads.

    A video fails that yields nothing for ``stall_s`` seconds, or takes more than ``total_s`` in all. At most ``ahead``
    videos (0: one more than ``workers``) are decoded ahead of the engine, and at most ``ahead_mb`` MB of frames and
    audio. Where the disk takes no frames, those of one video may take ``memory_mb`` MB of memory. ``hwaccel`` names a
    hardware decoder of FFmpeg (``cuda``, ``vaapi``, …), used where it can be; its frames may differ from the software's
    in the last bit, so they are cached apart.
    """

    workers: Annotated[int, whole(0)] = 0
    # Measured (benchmarks/decode.py): two threads a worker take a fifth more CPU time, and no less time in all.
    threads: Annotated[int, whole(0)] = 1
    ahead: Annotated[int, whole(0)] = 0
    ahead_mb: Annotated[int, whole(1)] = 2000
    memory_mb: Annotated[int, whole(1)] = 2000
    stall_s: Annotated[float, seconds] = 60.0
    total_s: Annotated[float, seconds] = 3600.0
    hwaccel: str = ""

    @classmethod
    def of(cls, values: Mapping[str, object]) -> MediaOptions:
        """Return the options of ``--media``; raise :class:`UsageError` for an unknown name or a wrong value."""
        return read_options(cls, "--media", values)

    def n_workers(self) -> int:
        """Number of videos that are decoded at once."""
        # The cores that this process may use, which a container or a job manager can limit.
        return self.workers or max(1, min(len(os.sched_getaffinity(0)), 8))

    def n_ahead(self) -> int:
        """Number of videos that may be decoded, or on their way to it, before the engine begins with them."""
        return self.ahead or self.n_workers() + 1


def decoded_bytes(clips: Iterable[Clip]) -> int:
    """Return an upper bound of the bytes that the clips of a video take when decoded."""
    times: dict[int, set[float]] = {}
    audio_s = 0.0
    for clip in clips:
        # Clips that overlap share their frames; the whole audio up to the end of the last clip is held.
        times.setdefault(clip.max_pixels, set()).update(clip.timestamps)
        audio_s = max(audio_s, clip.end_s if clip.audio else 0.0)
    frames = sum(len(at) * max_pixels * BYTES_PER_PIXEL for max_pixels, at in times.items())
    return frames + round(audio_s * BYTES_PER_SECOND)
