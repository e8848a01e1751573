"""The media store: what a backend asks for the frames and the sound of a clip.

A video is opened and decoded at most once for all the clips that are prepared together, and not at all where the cache
holds them from an earlier run. What is given of a clip depends on the clip and the file alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from weakref import WeakValueDictionary

from s3harness.errors import MediaError
from s3harness.media.cache import DEFAULT_BUDGET_BYTES, MediaCache
from s3harness.media.frames import RATE, Frames, Samples
from s3harness.media.record import Recording
from s3harness.media.reel import understand
from s3harness.media.shelf import Shelf
from s3harness.types import Clip, Video


class MediaStore:
    """Gives frames, sound, mp4 and content hash of clips that were prepared.

    ``prepare`` decodes and belongs in a worker thread; the other calls read what is there. All may be called from
    several threads at once. ``decodes`` counts decode passes and ``opens`` how often a video file was opened.
    """

    def __init__(self, cache_dir: Path, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self.decodes = 0
        self.opens = 0
        self._cache = MediaCache(cache_dir, budget_bytes)
        self._shelves: dict[str, Shelf] = {}
        self._failures: dict[str, str] = {}
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def prepare(self, video: Video, clips: Sequence[Clip]) -> None:
        """Make available what ``clips``, all of ``video``, want. Blocks while it decodes; does nothing if all is there.

        A video that fails raises nothing here: every later call for one of its clips raises :class:`MediaError`, and it
        is not tried again.
        """
        with self._turn(video.id):
            if video.id in self._failures:
                return
            try:
                self._fill(video, clips)
            except MediaError as error:
                self._failures[video.id] = str(error)

    def frames(self, clip: Clip) -> Frames:
        """The pictures nearest to the clip's timestamps, one for each, no larger than its ``max_pixels``."""
        shelf = self._shelf(clip)
        with _named(clip.video_id):
            return shelf.frames(clip)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """The clip's sound from its start to its end: mono float32, round((end − start) · rate) samples."""
        shelf = self._shelf(clip)
        with _named(clip.video_id):
            return shelf.audio(clip, rate)

    def mp4(self, clip: Clip) -> bytes:
        """The clip's frames at their times, and its sound if it has ``audio``, as H.264 and AAC without metadata."""
        from s3harness.media.encode import encode_mp4

        sound = (self.audio(clip, RATE), RATE) if clip.audio else None
        return encode_mp4(self.frames(clip), clip.start_s, clip.end_s, sound)

    def key(self, clip: Clip) -> str:
        """A hash (SHA-256, hex) of all that determines what the clip shows: file, frames, size, sound, decoder.

        Raises :class:`MediaError` for a clip that cannot be shown, as :meth:`frames` does.
        """
        shelf = self._shelf(clip)
        with _named(clip.video_id):
            shelf.found(clip)
            size = shelf.size(clip)
        determinants = [shelf.content, clip.timestamps, size, clip.start_s, clip.end_s, clip.audio, _decoder()]
        return hashlib.sha256(json.dumps(determinants).encode()).hexdigest()

    def release(self, video_id: str) -> None:
        """Forget what is held of a video; its frames stay in the cache."""
        with self._turn(video_id):
            self._shelves.pop(video_id, None)

    def _shelf(self, clip: Clip) -> Shelf:
        if clip.video_id in self._failures:
            raise MediaError(f"video {clip.video_id}: {self._failures[clip.video_id]}")
        shelf = self._shelves.get(clip.video_id)
        if shelf is None:
            raise MediaError(f"video {clip.video_id}: the clip was not prepared, or its video is released already")
        return shelf

    def _fill(self, video: Video, clips: Sequence[Clip]) -> None:
        if video.path is None:
            raise MediaError("the data set has no file of it")
        shelf = self._shelves.get(video.id) or self._recall(video.path)
        if shelf is None or any(shelf.missing(clips)):
            shelf = self._open(video.path, shelf, clips)
        self._shelves[video.id] = shelf

    def _recall(self, path: Path) -> Shelf | None:
        """What the cache has of a file that has not changed since it was hashed; the file is not opened."""
        try:
            content = self._cache.recall(path, path.stat())
        except OSError as error:
            raise MediaError(f"its file cannot be read: {error.strerror}") from None
        return self._stock(content) if content else None

    def _stock(self, content: str) -> Shelf:
        shelf = Shelf(content)
        for slab in self._cache.slabs(content):
            part = understand(slab, _decoder())
            if part is not None:
                shelf.add(part, slab.path)
        return shelf

    def _open(self, path: Path, shelf: Shelf | None, clips: Sequence[Clip]) -> Shelf:
        """Open the file, once, and decode what is still missing when its content is known."""
        with self._opened(path) as file:
            content = self._content(path, file)
            if shelf is None or shelf.content != content:
                shelf = self._stock(content)
            wanted, audio = shelf.missing(clips)
            if wanted or audio:
                self._decode(file, shelf, wanted, audio)
        return shelf

    @contextmanager
    def _opened(self, path: Path) -> Iterator[BufferedReader]:
        with self._lock:
            self.opens += 1
        try:
            file = path.open("rb")
        except OSError as error:
            raise MediaError(f"its file cannot be read: {error.strerror}") from None
        with file:
            yield file

    def _content(self, path: Path, file: BufferedReader) -> str:
        found = os.fstat(file.fileno())
        content = self._cache.recall(path, found)
        if content is None:
            content = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            self._cache.remember(path, found, content)
        return content

    def _decode(self, file: BufferedReader, shelf: Shelf, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        from s3harness.media.decode import decode

        with self._lock:
            self.decodes += 1
        with Recording(self._cache, shelf.content, _decoder()) as recording:
            for item in decode(file, wanted, audio):
                recording.take(item, wanted, audio)
        shelf.source = recording.source
        for slab in recording.slabs:
            part = understand(slab, _decoder())
            assert part is not None
            shelf.add(part, slab.path)
        self._cache.evict({path for known in (shelf, *self._shelves.values()) for path in known.paths})

    def _turn(self, video_id: str) -> threading.Lock:
        """The lock of a video, which lives as long as somebody holds or awaits it."""
        with self._lock:
            return self._turns.setdefault(video_id, threading.Lock())


@contextmanager
def _named(video_id: str) -> Iterator[None]:
    """Put the video's id before what goes wrong with it."""
    try:
        yield
    except MediaError as error:
        raise MediaError(f"video {video_id}: {error}") from None


@lru_cache(maxsize=1)
def _decoder() -> str:
    from s3harness.media.container import decoder_version

    return decoder_version()
