"""The media store: what a backend asks for the frames and the sound of a clip.

A video is opened and decoded at most once for all the clips that are prepared together, and not at all where the cache
holds them from an earlier run. What is given of a clip depends on the clip and the file alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from weakref import WeakValueDictionary

from s3harness.errors import MediaError
from s3harness.media.cache import DEFAULT_BUDGET_BYTES, MediaCache, Note
from s3harness.media.cache_writer import Recording
from s3harness.media.frame_file import understand
from s3harness.media.frames import RATE, Frames, Jpegs, Samples
from s3harness.media.loaded_video import Form, Shelf
from s3harness.media.options import MEGABYTE, MediaOptions
from s3harness.types import Clip, Video

HASH_BLOCK = 1 << 20


class MediaStore:
    """Gives frames, sound, JPEG, mp4 and content hash of clips that were prepared.

    ``prepare`` decodes and belongs in a worker thread; the other calls read what is there. All may be called from
    several threads at once. ``decodes`` counts decode passes and ``opens`` how often a video file was opened.
    """

    def __init__(
        self, cache_dir: Path, budget_bytes: int = DEFAULT_BUDGET_BYTES, options: MediaOptions | None = None
    ) -> None:
        self.options = options or MediaOptions()
        self.decodes = 0
        self.opens = 0
        self._cache = MediaCache(cache_dir, budget_bytes, self.options.memory_mb * MEGABYTE)
        self._shelves: dict[str, Shelf] = {}
        self._failures: dict[str, str] = {}
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def prepare(self, video: Video, clips: Sequence[Clip], beat: Callable[[], None] = lambda: None) -> None:
        """Make available what ``clips``, all of ``video``, want. Blocks while it decodes; does nothing if all is there.

        A video that fails raises nothing here: every later call for one of its clips raises :class:`MediaError`, and it
        is not tried again. ``beat`` is called again and again while the work goes on, and may raise to end it.
        """
        with self._turn(video.id):
            if video.id in self._failures:
                return
            try:
                self._fill(video, clips, beat)
            except MediaError as error:
                self._failures.setdefault(video.id, str(error))
            if video.id in self._failures:
                self._shelves.pop(video.id, None)

    def give_up(self, video_id: str, why: str) -> None:
        """From now on a video fails, for this reason unless it has one; a thread that hangs at it bars nobody's way."""
        with self._lock:
            self._failures.setdefault(video_id, why)
            self._turns.pop(video_id, None)

    def frames(self, clip: Clip) -> Frames:
        """The pictures nearest to the clip's timestamps, one for each, no larger than its ``max_pixels``."""
        shelf = self._shelf(clip)
        with _named(clip.video_id):
            return shelf.frames(clip)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """The clip's sound from its start to its end: mono float32, round((end − start) · rate) samples."""
        shelf = self._shelf(clip)
        with _named(clip.video_id):
            return self._made(clip, ("audio", rate), lambda: shelf.audio(clip, rate)).copy()

    def has_sound(self, clip: Clip) -> bool:
        """Whether the clip is to be heard and its video has sound: of a silent one a model is shown the frames alone.

        Raises :class:`MediaError` for a clip that cannot be shown.
        """
        return clip.audio and self._shelf(clip).has_sound

    def jpegs(self, clip: Clip, quality: int = 90) -> Jpegs:
        """The clip's frames as JPEG files of a quality from 1 to 95, and their times.

        This and :meth:`mp4` take a while the first time, for all who ask meanwhile; what is made is kept until the clip
        is finished or its video released.
        """
        from s3harness.media.encode import encode_jpegs

        return self._made(clip, ("jpeg", quality), lambda: encode_jpegs(self.frames(clip), quality))

    def mp4(self, clip: Clip) -> bytes:
        """The clip's frames at their times, and its sound if it has ``audio``, as H.264 and AAC without metadata."""
        from s3harness.media.encode import encode_mp4

        def encode() -> bytes:
            sound = (self.audio(clip, RATE), RATE) if self.has_sound(clip) else None
            return encode_mp4(self.frames(clip), clip.start_s, clip.end_s, sound)

        return self._made(clip, "mp4", encode)

    def finish(self, clip: Clip) -> None:
        """Forget what was made of a clip that is not asked about any more; its frames are still there."""
        shelf = self._shelves.get(clip.video_id)
        if shelf is not None:
            shelf.forms.drop(replace(clip, index=0))

    def key(self, clip: Clip) -> str:
        """A hash (SHA-256, hex) of all that determines what the clip shows: file, frames, size, sound, decoder.

        The same for every form: an engine that caches one by it adds which (``f"{key}-jpeg90"``).
        Raises :class:`MediaError` for a clip that cannot be shown, as :meth:`frames` does.
        """
        shelf = self._shelf(clip)
        with _named(clip.video_id):
            shelf.found(clip)
            size = shelf.size(clip)
        determinants = [shelf.content, clip.timestamps, size, clip.start_s, clip.end_s, clip.audio, self._decoder]
        return hashlib.sha256(json.dumps(determinants).encode()).hexdigest()

    def release(self, video_id: str) -> None:
        """Forget what is held of a video; its frames stay in the cache. Waits for nobody who is preparing it."""
        self._shelves.pop(video_id, None)

    def _made(self, clip: Clip, kind: Hashable, make: Callable[[], Form]) -> Form:
        return self._shelf(clip).forms.get(replace(clip, index=0), kind, make)

    def _shelf(self, clip: Clip) -> Shelf:
        if clip.video_id in self._failures:
            raise MediaError(f"video {clip.video_id}: {self._failures[clip.video_id]}")
        shelf = self._shelves.get(clip.video_id)
        if shelf is None:
            raise MediaError(f"video {clip.video_id}: the clip was not prepared, or its video is released already")
        return shelf

    def duration_s(self, path: Path, beat: Callable[[], None] = lambda: None) -> float:
        """How long a video is, by its data; :class:`MediaError` if it cannot be told.

        The file is opened if it is not remembered from before; what it holds is hashed on the way.
        """
        from s3harness.media.probe import measure

        note = self._cache.recall(path, _found(path))
        if note is None or note.duration_s is None or note.decoder != self._decoder:
            with self._opened(path) as file:
                content = note.content if note else self._hash(file, beat)
                note = Note(content, measure(file, beat).duration_s, self._decoder)
                self._cache.remember(path, os.fstat(file.fileno()), note)
        assert note.duration_s is not None
        return note.duration_s

    def _fill(self, video: Video, clips: Sequence[Clip], beat: Callable[[], None]) -> None:
        if video.path is None:
            raise MediaError("the data set has no file for it")
        shelf = self._shelves.get(video.id) or self._recall(video.path)
        if shelf is None or any(shelf.missing(clips)):
            shelf = self._open(video.path, shelf, clips, beat)
        self._shelves[video.id] = shelf

    def _recall(self, path: Path) -> Shelf | None:
        """What the cache has of a file that has not changed since it was hashed; the file is not opened."""
        note = self._cache.recall(path, _found(path))
        return self._stock(note.content) if note else None

    def _stock(self, content: str) -> Shelf:
        shelf = Shelf(content)
        for slab in self._cache.slabs(content):
            part = understand(slab, self._decoder)
            if part is not None:
                shelf.add(part, slab.path)
        return shelf

    def _open(self, path: Path, shelf: Shelf | None, clips: Sequence[Clip], beat: Callable[[], None]) -> Shelf:
        """Open the file, once, and decode what is still missing when its content is known."""
        with self._opened(path) as file:
            content = self._content(path, file, beat)
            if shelf is None or shelf.content != content:
                shelf = self._stock(content)
            wanted, audio = shelf.missing(clips)
            if wanted or audio:
                self._decode(file, shelf, wanted, audio, beat)
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

    def _content(self, path: Path, file: BufferedReader, beat: Callable[[], None]) -> str:
        found = os.fstat(file.fileno())
        note = self._cache.recall(path, found)
        if note is None:
            note = Note(self._hash(file, beat))
            self._cache.remember(path, found, note)
        return note.content

    def _hash(self, file: BufferedReader, beat: Callable[[], None]) -> str:
        digest = hashlib.sha256()
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            beat()
        file.seek(0)
        return digest.hexdigest()

    def _decode(
        self,
        file: BufferedReader,
        shelf: Shelf,
        wanted: Mapping[int, frozenset[float]],
        audio: bool,
        beat: Callable[[], None],
    ) -> None:
        from s3harness.media.container import Decoding
        from s3harness.media.decode import decode

        with self._lock:
            self.decodes += 1
        how = Decoding(self.options.threads, self.options.hwaccel)
        with Recording(self._cache, shelf.content, self._decoder) as recording:
            for item in decode(file, wanted, audio, how, beat):
                recording.take(item, wanted, audio)
        shelf.source = recording.source
        for slab in recording.slabs:
            part = understand(slab, self._decoder)
            assert part is not None
            shelf.add(part, slab.path)
        self._cache.evict({path for known in (shelf, *self._shelves.copy().values()) for path in known.paths})

    @property
    def _decoder(self) -> str:
        return _decoder(self.options)

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


def _found(path: Path) -> os.stat_result:
    """What the disk says of a file; :class:`MediaError` if there is none, or something that is none, like a pipe."""
    try:
        found = path.stat()
    except OSError as error:
        raise MediaError(f"its file cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode):
        raise MediaError("its file cannot be read: it is no regular file")
    return found


@lru_cache
def _decoder(options: MediaOptions) -> str:
    from s3harness.media.container import Decoding, decoder_version

    return decoder_version(Decoding(options.threads, options.hwaccel))
