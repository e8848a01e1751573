"""The one file format of the cache: bytes, then a JSON footer that says what they are.

A slab is written under another name and renamed when it is whole, so a reader finds all of it or nothing, and two
processes never write to one file. Where the disk is full or may not be written, the bytes are kept in memory instead.

Layout: payload · footer (UTF-8 JSON) · length of the footer (8 bytes, little endian) · :data:`MAGIC`.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from s3harness.errors import MediaError
from s3harness.files import parse_json
from s3harness.media.frames import DecodedFrame, Pixels, Samples, StreamInfo
from s3harness.media.geometry import Size

MAGIC = b"s3slab01"
UNFINISHED = ".part"

_TAIL = 8 + len(MAGIC)


@dataclass(frozen=True, slots=True)
class CacheFile:
    """A payload (uint8, one row) and its footer; ``path`` is ``None`` if it is in memory alone."""

    payload: NDArray[np.uint8]
    footer: Mapping[str, Any]
    path: Path | None = None


def read_cache_file(path: Path) -> CacheFile | None:
    """Map a slab into memory; ``None`` if it is gone or is not whole."""
    try:
        with path.open("rb") as file:
            file.seek(-_TAIL, os.SEEK_END)
            tail = file.read(_TAIL)
            length = int.from_bytes(tail[:8], "little")
            payload_bytes = file.seek(-_TAIL - length, os.SEEK_END)
            footer = parse_json(file.read(length))
            whole = tail[8:] == MAGIC and footer["payload_bytes"] == payload_bytes
            return CacheFile(_mapped(file, payload_bytes), footer, path) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class CacheFileWriter:
    """Appends to a new slab at ``path``, or in memory; ``on_trouble`` is told why if it cannot be written there.

    Memory takes ``memory_bytes`` of it, beyond which :class:`MediaError` is raised.
    """

    def __init__(
        self, path: Path | None, on_trouble: Callable[[OSError], None], memory_bytes: int = sys.maxsize
    ) -> None:
        self._on_trouble, self._memory_bytes = on_trouble, memory_bytes
        self._file: BinaryIO | None = None
        self._on_disk = self._total = 0
        self._memory: list[NDArray[np.uint8]] = []
        if path is None:
            return
        self._path, self._part = path, path.with_name(path.name + UNFINISHED)
        try:
            self._file = self._part.open("xb", buffering=0)
        except OSError as error:
            on_trouble(error)

    def append(self, block: NDArray[Any]) -> None:
        """Append an array's bytes."""
        data = np.ascontiguousarray(block).reshape(-1).view(np.uint8)
        self._total += len(data)
        while self._file is not None and len(data):
            try:
                n = self._file.write(data.data)
            except OSError as error:
                self._to_memory(error)
            else:
                self._on_disk += n
                data = data[n:]
        if len(data):
            if self._total > self._memory_bytes:
                most = self._memory_bytes // 1_000_000
                raise MediaError(f"its frames fit neither the cache nor {most} MB of memory (--media memory_mb=…)")
            self._memory.append(data.copy())

    def finish(self, footer: Mapping[str, object]) -> CacheFile:
        """Close the slab and give it, mapped from the disk or out of memory."""
        payload_bytes = self._total
        footer = {**footer, "payload_bytes": payload_bytes}
        encoded = json.dumps(footer, separators=(",", ":")).encode()
        self.append(np.frombuffer(encoded + len(encoded).to_bytes(8, "little") + MAGIC, np.uint8))
        slab = self._publish()
        if slab is None:
            slab = CacheFile(np.concatenate(self._memory)[:payload_bytes], footer)
        self._memory = []
        return slab

    def abandon(self) -> None:
        """Leave nothing behind; harmless after :meth:`finish`."""
        self._memory = []
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)

    def _publish(self) -> CacheFile | None:
        """Give the file its name. It is mapped first, because another process may evict it at once."""
        if self._file is None:
            return None
        try:
            os.fsync(self._file.fileno())
            slab = read_cache_file(self._part)
            self._part.replace(self._path)
        except OSError as error:
            self._to_memory(error)
            return None
        self._file.close()
        self._file = None
        return slab and replace(slab, path=self._path)

    def _to_memory(self, error: OSError) -> None:
        """Go on in memory, with what has been written so far."""
        assert self._file is not None
        self._file.close()
        self._file = None
        self._memory.append(np.fromfile(self._part, np.uint8, self._on_disk))
        self._part.unlink(missing_ok=True)
        self._on_trouble(error)


def drop_pages(payload: NDArray[Any]) -> None:
    """Let what is mapped of a payload, or of a view of it, leave memory; who reads it again has it from the disk."""
    base: object = payload
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview) and isinstance(base.obj, mmap.mmap):
        base.obj.madvise(mmap.MADV_DONTNEED)


def _mapped(file: BinaryIO, n: int) -> NDArray[np.uint8]:
    return np.frombuffer(mmap.mmap(file.fileno(), n, access=mmap.ACCESS_READ) if n else b"", np.uint8)


REEL, TRACK = "reel", "track"


@dataclass(frozen=True, slots=True)
class FrameTrack:
    """The pictures that one pass picked at one size.

    ``pixels`` is frames × height × width × 3, mapped from the disk; ``times`` are their times, ``frame_of`` says which
    of them stands for a wanted time; ``absent`` are wanted times behind ``end_s``, where the video ends.
    """

    source: StreamInfo
    size: Size
    pixels: Pixels
    times: tuple[float, ...]
    frame_of: Mapping[float, int]
    absent: frozenset[float]
    end_s: float | None


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The whole sound, mono float32 at :data:`s3harness.media.frames.RATE`; the video ends at ``end_s``."""

    source: StreamInfo
    samples: Samples
    end_s: float


class FrameTrackWriter:
    """Writes the pictures of one size as they come."""

    def __init__(self, slab: CacheFileWriter, size: Size, wanted: Iterable[float]) -> None:
        self.slab, self._size = slab, size
        self._absent = set(wanted)
        self._times: list[float] = []
        self._frame_of: list[tuple[float, int]] = []

    def append(self, picture: DecodedFrame) -> None:
        """Append a picture."""
        self._frame_of += [(time, len(self._times)) for time in picture.wanted]
        self._absent -= set(picture.wanted)
        self._times.append(picture.time_s)
        self.slab.append(picture.pixels)

    def finish(self, decoder: str, source: StreamInfo, end_s: float | None) -> CacheFile:
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


def finish_audio_track(slab: CacheFileWriter, decoder: str, source: StreamInfo, end_s: float | None) -> CacheFile:
    """Close a slab to which samples were appended."""
    return slab.finish(_common(TRACK, decoder, source, end_s))


def parse_cache_file(slab: CacheFile, decoder: str) -> FrameTrack | AudioTrack | None:
    """What a slab holds; ``None`` if another decoder made it, or another version of this module."""
    footer = slab.footer
    if footer.get("decoder") != decoder:
        return None
    try:
        width, height, has_audio = footer["source"]
        source = StreamInfo(Size(width, height), has_audio)
        if footer["kind"] == TRACK:
            return AudioTrack(source, slab.payload.view(np.float32), footer["end_s"])
        size, times = Size(*footer["size"]), tuple(footer["times"])
        pixels = slab.payload.reshape(len(times), size.height, size.width, 3)
        return FrameTrack(
            source, size, pixels, times, dict(footer["frame_of"]), frozenset(footer["absent"]), footer["end_s"]
        )
    except (KeyError, TypeError, ValueError):
        return None


def _common(kind: str, decoder: str, source: StreamInfo, end_s: float | None) -> dict[str, object]:
    return {"kind": kind, "decoder": decoder, "source": [*source.size, source.has_audio], "end_s": end_s}
