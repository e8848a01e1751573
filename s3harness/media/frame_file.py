"""The file format of the cache: bytes of frames or audio, then a JSON footer that describes them.

A cache file is written under another name and renamed when it is whole, so a reader gets all of it or nothing, and two
processes never write to one file. Where the disk is full or cannot be written, the bytes stay in memory instead.

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
"""The last bytes of a whole file, with the number of the format."""
UNFINISHED = ".part"

# The values of the footer's "kind" are part of the format: files of earlier versions have them too.
_FRAMES, _AUDIO = "reel", "track"
_TAIL = 8 + len(MAGIC)


@dataclass(frozen=True, slots=True)
class CacheFile:
    """A payload (uint8, one row) and its footer; ``path`` is ``None`` if the file is in memory alone."""

    payload: NDArray[np.uint8]
    footer: Mapping[str, Any]
    path: Path | None = None


def read_cache_file(path: Path) -> CacheFile | None:
    """Map a cache file into memory; return ``None`` if it is gone or is not whole."""
    try:
        with path.open("rb") as file:
            file.seek(-_TAIL, os.SEEK_END)
            tail = file.read(_TAIL)
            length = int.from_bytes(tail[:8], "little")
            payload_bytes = file.seek(-_TAIL - length, os.SEEK_END)
            footer = parse_json(file.read(length))
            # A file that lost some of its bytes may still end in a whole footer.
            is_whole = tail[8:] == MAGIC and footer["payload_bytes"] == payload_bytes
            return CacheFile(_mapped(file, payload_bytes), footer, path) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


class CacheFileWriter:
    """Appends to a new cache file at ``path``; in memory if ``path`` is ``None`` or cannot be written.

    ``on_disk_error`` is called with the error of a disk that does not take the file. Memory takes ``memory_bytes`` of
    the file, beyond which :class:`MediaError` is raised.
    """

    def __init__(
        self, path: Path | None, on_disk_error: Callable[[OSError], None], memory_bytes: int = sys.maxsize
    ) -> None:
        self._on_disk_error, self._memory_bytes = on_disk_error, memory_bytes
        self._file: BinaryIO | None = None
        self._on_disk = self._total = 0
        self._memory: list[NDArray[np.uint8]] = []
        if path is None:
            return
        self._path, self._part = path, path.with_name(path.name + UNFINISHED)
        try:
            # Without a buffer, a write that fails says how much of it is on the disk.
            self._file = self._part.open("xb", buffering=0)
        except OSError as error:
            on_disk_error(error)

    def append(self, block: NDArray[Any]) -> None:
        """Append an array's bytes."""
        data = np.ascontiguousarray(block).reshape(-1).view(np.uint8)
        self._total += len(data)
        # An unbuffered write may take a part of the data only, for one as the disk fills up.
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
        """Write the footer and return the whole file, mapped from the disk or out of memory."""
        payload_bytes = self._total
        footer = {**footer, "payload_bytes": payload_bytes}
        encoded = json.dumps(footer, separators=(",", ":")).encode()
        self.append(np.frombuffer(encoded + len(encoded).to_bytes(8, "little") + MAGIC, np.uint8))
        cache_file = self._publish()
        if cache_file is None:
            cache_file = CacheFile(np.concatenate(self._memory)[:payload_bytes], footer)
        self._memory = []
        return cache_file

    def abandon(self) -> None:
        """Delete what was written; do nothing after :meth:`finish`."""
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
            # Some file systems report a full disk only now; and after a power failure a name would stand for no bytes.
            os.fsync(self._file.fileno())
            cache_file = read_cache_file(self._part)
            self._part.replace(self._path)
        except OSError as error:
            self._to_memory(error)
            return None
        self._file.close()
        self._file = None
        return cache_file and replace(cache_file, path=self._path)

    def _to_memory(self, error: OSError) -> None:
        """Go on in memory, with what has been written so far."""
        assert self._file is not None
        self._file.close()
        self._file = None
        self._memory.append(np.fromfile(self._part, np.uint8, self._on_disk))
        self._part.unlink(missing_ok=True)
        self._on_disk_error(error)


def drop_pages(payload: NDArray[Any]) -> None:
    """Let the mapped pages of a payload, or of a view of it, leave memory; a later read takes them from the disk.

    Without it the frames of every video at hand would count as the process's memory until the video is released.
    """
    base: object = payload
    while isinstance(base, np.ndarray):
        base = base.base
    # A payload that is in memory alone has no map, and no other place to be read from.
    if isinstance(base, memoryview) and isinstance(base.obj, mmap.mmap):
        base.obj.madvise(mmap.MADV_DONTNEED)


def _mapped(file: BinaryIO, n: int) -> NDArray[np.uint8]:
    # An empty map is an error; a video whose wanted times all lie behind its end has no frames.
    return np.frombuffer(mmap.mmap(file.fileno(), n, access=mmap.ACCESS_READ) if n else b"", np.uint8)


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameTrack:
    """The frames that one decode pass picked, at one size.

    ``pixels`` is frames × height × width × 3, mapped from the disk; ``times`` are the frames' times in seconds;
    ``frame_of`` maps a wanted time to the index of the frame nearest to it; ``absent`` are wanted times behind
    ``end_s``, where the video ends (``None`` if the pass stopped before).
    """

    stream: StreamInfo
    size: Size
    pixels: Pixels
    times: tuple[float, ...]
    frame_of: Mapping[float, int]
    absent: frozenset[float]
    end_s: float | None


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The whole audio, mono float32 at :data:`s3harness.media.frames.RATE`; the video ends at ``end_s`` seconds."""

    stream: StreamInfo
    samples: Samples
    end_s: float


class FrameTrackWriter:
    """Writes the frames of one size as they come."""

    def __init__(self, writer: CacheFileWriter, size: Size, wanted: Iterable[float]) -> None:
        self.writer, self._size = writer, size
        self._absent = set(wanted)
        self._times: list[float] = []
        self._frame_of: list[tuple[float, int]] = []

    def append(self, frame: DecodedFrame) -> None:
        """Append a frame."""
        self._frame_of += [(time, len(self._times)) for time in frame.wanted]
        self._absent -= set(frame.wanted)
        self._times.append(frame.time_s)
        self.writer.append(frame.pixels)

    def finish(self, decoder: str, stream: StreamInfo, end_s: float | None) -> CacheFile:
        """Close the cache file and return it."""
        return self.writer.finish(
            {
                **_common(_FRAMES, decoder, stream, end_s),
                "size": self._size,
                "times": self._times,
                # Pairs: JSON would turn the times, as keys of an object, into text.
                "frame_of": self._frame_of,
                "absent": sorted(self._absent),
            }
        )


def finish_audio_track(writer: CacheFileWriter, decoder: str, stream: StreamInfo, end_s: float | None) -> CacheFile:
    """Close a cache file to which samples were appended, and return it."""
    return writer.finish(_common(_AUDIO, decoder, stream, end_s))


def parse_cache_file(cache_file: CacheFile, decoder: str) -> FrameTrack | AudioTrack | None:
    """Parse a cache file; return ``None`` if another decoder made it, or another version of this module."""
    footer = cache_file.footer
    # Another decoder may give other pixels for the same file, and all answers of a run are about the same ones.
    if footer.get("decoder") != decoder:
        return None
    try:
        width, height, has_audio = footer["source"]
        stream = StreamInfo(Size(width, height), has_audio)
        if footer["kind"] == _AUDIO:
            return AudioTrack(stream, cache_file.payload.view(np.float32), footer["end_s"])
        size, times = Size(*footer["size"]), tuple(footer["times"])
        return FrameTrack(
            stream=stream,
            size=size,
            pixels=cache_file.payload.reshape(len(times), size.height, size.width, 3),
            times=times,
            frame_of=dict(footer["frame_of"]),
            absent=frozenset(footer["absent"]),
            end_s=footer["end_s"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def _common(kind: str, decoder: str, stream: StreamInfo, end_s: float | None) -> dict[str, object]:
    return {"kind": kind, "decoder": decoder, "source": [*stream.size, stream.has_audio], "end_s": end_s}
