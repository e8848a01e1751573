"""How media are prepared: what a user can say of it (``--media KEY=VALUE``)."""

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
"""Of sound as it is kept (:data:`s3harness.media.frames.RATE`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOptions:
    """``workers`` videos are decoded at once (0: as many as the processor has room for), each by ``threads`` threads.

    A video may give nothing for ``stall_s`` seconds and take ``total_s`` in all. Videos are decoded ahead of the engine
    as long as what they hold comes to at most ``ahead_mb`` MB, and ``ahead`` videos (0: one more than ``workers``).
    Where the disk takes no frames, those of one video may take ``memory_mb`` MB of memory. ``hwaccel`` names a hardware
    decoder of FFmpeg (``cuda``, ``vaapi``, …), used where it can be; its pictures may differ from the software's in the
    last bit, so they are kept apart.
    """

    workers: Annotated[int, whole(0)] = 0
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
        """How many videos are decoded at once."""
        return self.workers or max(1, min(len(os.sched_getaffinity(0)), 8))

    def n_ahead(self) -> int:
        """How many videos may be decoded, or on their way to it, that the engine has not come to."""
        return self.ahead or self.n_workers() + 1


def decoded_bytes(clips: Iterable[Clip]) -> int:
    """How many bytes what the clips of a video show comes to at most, decoded."""
    times: dict[int, set[float]] = {}
    sound_s = 0.0
    for clip in clips:
        times.setdefault(clip.max_pixels, set()).update(clip.timestamps)
        sound_s = max(sound_s, clip.end_s if clip.audio else 0.0)
    frames = sum(len(at) * max_pixels * BYTES_PER_PIXEL for max_pixels, at in times.items())
    return frames + round(sound_s * BYTES_PER_SECOND)
