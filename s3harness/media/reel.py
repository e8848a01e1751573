"""What the slabs of the cache hold: reels of pictures, and the sound track."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from s3harness.media.frames import Pixels, Samples
from s3harness.media.geometry import Size
from s3harness.media.items import Picture, Source
from s3harness.media.slab import Slab, SlabWriter

REEL, TRACK = "reel", "track"


@dataclass(frozen=True, slots=True)
class Reel:
    """The pictures that one pass picked at one size.

    ``pixels`` is frames × height × width × 3, mapped from the disk; ``times`` are their times, ``frame_of`` says which
    of them stands for a wanted time; ``absent`` are wanted times behind ``end_s``, where the video ends.
    """

    source: Source
    size: Size
    pixels: Pixels
    times: tuple[float, ...]
    frame_of: Mapping[float, int]
    absent: frozenset[float]
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Track:
    """The whole sound, mono float32 at :data:`s3harness.media.frames.RATE`; the video ends at ``end_s``."""

    source: Source
    samples: Samples
    end_s: float


class ReelWriter:
    """Writes the pictures of one size as they come."""

    def __init__(self, slab: SlabWriter, size: Size, wanted: Iterable[float]) -> None:
        self.slab, self._size = slab, size
        self._absent = set(wanted)
        self._times: list[float] = []
        self._frame_of: list[tuple[float, int]] = []

    def append(self, picture: Picture) -> None:
        """Append a picture."""
        self._frame_of += [(time, len(self._times)) for time in picture.wanted]
        self._absent -= set(picture.wanted)
        self._times.append(picture.time_s)
        self.slab.append(picture.pixels)

    def finish(self, decoder: str, source: Source, end_s: float | None) -> Slab:
        """Close the reel."""
        return self.slab.finish(
            {
                **_common(REEL, decoder, source, end_s),
                "size": self._size,
                "times": self._times,
                "frame_of": self._frame_of,
                "absent": sorted(self._absent),
            }
        )


def finish_track(slab: SlabWriter, decoder: str, source: Source, end_s: float | None) -> Slab:
    """Close a slab to which samples were appended."""
    return slab.finish(_common(TRACK, decoder, source, end_s))


def understand(slab: Slab, decoder: str) -> Reel | Track | None:
    """What a slab holds; ``None`` if another decoder made it, or another version of this module."""
    footer = slab.footer
    if footer.get("decoder") != decoder:
        return None
    try:
        width, height, has_audio = footer["source"]
        source = Source(Size(width, height), has_audio)
        if footer["kind"] == TRACK:
            return Track(source, slab.payload.view(np.float32), footer["end_s"])
        size, times = Size(*footer["size"]), tuple(footer["times"])
        pixels = slab.payload.reshape(len(times), size.height, size.width, 3)
        return Reel(source, size, pixels, times, dict(footer["frame_of"]), frozenset(footer["absent"]), footer["end_s"])
    except (KeyError, TypeError, ValueError):
        return None


def _common(kind: str, decoder: str, source: Source, end_s: float | None) -> dict[str, object]:
    return {"kind": kind, "decoder": decoder, "source": [*source.size, source.has_audio], "end_s": end_s}
