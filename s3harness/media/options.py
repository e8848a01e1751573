"""How media are prepared: what a user can say of it (``--media KEY=VALUE``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from s3harness.errors import UsageError
from s3harness.types import Clip

MEGABYTE = 1_000_000
BYTES_PER_PIXEL = 3
BYTES_PER_SECOND = 24_000 * 4
"""Of sound as it is kept (:data:`s3harness.media.frames.RATE`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaOptions:
    """``workers`` videos are decoded at once (0: as many as the processor has room for), each by ``threads`` threads.

    A video may give nothing for ``stall_s`` seconds and take ``total_s`` in all. Videos are decoded ahead of the engine
    as long as what they hold comes to at most ``ahead_mb`` MB, and ``ahead`` videos (0: one more than ``workers``).
    Where the disk takes no frames, those of one video may take ``memory_mb`` MB of memory. ``hwaccel`` names a hardware
    decoder of FFmpeg (``cuda``, ``vaapi``, …), used where it can be; its pictures may differ from the software's in the
    last bit, so they are kept apart.
    """

    workers: int = 0
    threads: int = 1
    ahead: int = 0
    ahead_mb: int = 2000
    memory_mb: int = 2000
    stall_s: float = 60.0
    total_s: float = 3600.0
    hwaccel: str = ""

    def __post_init__(self) -> None:
        for name, least in (("workers", 0), ("threads", 0), ("ahead", 0), ("ahead_mb", 1), ("memory_mb", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise UsageError(f"--media {name}={value}: a whole number from {least} is expected")
        for name in ("stall_s", "total_s"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 < value < float("inf"):
                raise UsageError(f"--media {name}={value}: a number of seconds above 0 is expected")

        if not isinstance(self.hwaccel, str):
            raise UsageError(f"--media hwaccel={self.hwaccel}: the name of a hardware decoder is expected")

    @classmethod
    def of(cls, said: Mapping[str, object]) -> MediaOptions:
        """The options that a user said; :class:`UsageError` for one that there is not."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(said.keys() - set(known))
        if unknown:
            raise UsageError(f"there is no --media option {', '.join(unknown)}; there are {', '.join(known)}")
        return cls(**said)  # type: ignore[arg-type]

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
