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
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from weakref import WeakValueDictionary

from s3harness.errors import MediaError
from s3harness.media.cache import DEFAULT_BUDGET_BYTES, MediaCache, SourceRecord
from s3harness.media.cache_writer import CacheWriter
from s3harness.media.frame_file import parse_cache_file
from s3harness.media.frames import RATE, Frames, Jpegs, Samples
from s3harness.media.loaded_video import Form, LoadedVideo
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
        self._loaded: dict[str, LoadedVideo] = {}
        self._failures: dict[str, str] = {}
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def prepare(self, video: Video, clips: Sequence[Clip], heartbeat: Callable[[], None] = lambda: None) -> None:
        """Make available what ``clips``, all of ``video``, want. Blocks while it decodes; does nothing if all is there.

        A video that fails raises nothing here: every later call for one of its clips raises :class:`MediaError`, and it
        is not tried again. ``beat`` is called again and again while the work goes on, and may raise to end it.
        """
        with self._turn(video.id):
            if video.id in self._failures:
                return
            try:
                self._fill(video, clips, heartbeat)
            except MediaError as error:
                self._failures.setdefault(video.id, str(error))
            if video.id in self._failures:
                self._loaded.pop(video.id, None)

    def give_up(self, video_id: str, why: str) -> None:
        """From now on a video fails, for this reason unless it has one; a thread that hangs at it bars nobody's way."""
        with self._lock:
            self._failures.setdefault(video_id, why)
            self._turns.pop(video_id, None)

    def frames(self, clip: Clip) -> Frames:
        """The pictures nearest to the clip's timestamps, one for each, no larger than its ``max_pixels``."""
        loaded = self._loaded_video(clip)
        with _named(clip.video_id):
            return loaded.frames(clip)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """The clip's sound from its start to its end: mono float32, round((end − start) · rate) samples."""
        loaded = self._loaded_video(clip)
        with _named(clip.video_id):
            return self._made(clip, ("audio", rate), lambda: loaded.audio(clip, rate)).copy()

    def has_audio(self, clip: Clip) -> bool:
        """Whether the clip is to be heard and its video has sound: of a silent one a model is shown the frames alone.

        Raises :class:`MediaError` for a clip that cannot be shown.
        """
        return clip.audio and self._loaded_video(clip).has_audio

    def has_sound(self, clip: Clip) -> bool:
        """Return :meth:`has_audio` under its old name, which goes with the next release."""
        warnings.warn("MediaStore.has_sound is now called has_audio", DeprecationWarning, stacklevel=2)
        return self.has_audio(clip)

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
            sound = (self.audio(clip, RATE), RATE) if self.has_audio(clip) else None
            return encode_mp4(self.frames(clip), clip.start_s, clip.end_s, sound)

        return self._made(clip, "mp4", encode)

    def finish(self, clip: Clip) -> None:
        """Forget what was made of a clip that is not asked about any more; its frames are still there."""
        loaded = self._loaded.get(clip.video_id)
        if loaded is not None:
            loaded.forms.drop(replace(clip, index=0))

    def key(self, clip: Clip) -> str:
        """A hash (SHA-256, hex) of all that determines what the clip shows: file, frames, size, sound, decoder.

        The same for every form: an engine that caches one by it adds which (``f"{key}-jpeg90"``).
        Raises :class:`MediaError` for a clip that cannot be shown, as :meth:`frames` does.
        """
        loaded = self._loaded_video(clip)
        with _named(clip.video_id):
            loaded.found(clip)
            size = loaded.size(clip)
        determinants = [loaded.content, clip.timestamps, size, clip.start_s, clip.end_s, clip.audio, self._decoder]
        return hashlib.sha256(json.dumps(determinants).encode()).hexdigest()

    def release(self, video_id: str) -> None:
        """Forget what is held of a video; its frames stay in the cache. Waits for nobody who is preparing it."""
        self._loaded.pop(video_id, None)

    def _made(self, clip: Clip, kind: Hashable, make: Callable[[], Form]) -> Form:
        return self._loaded_video(clip).forms.get(replace(clip, index=0), kind, make)

    def _loaded_video(self, clip: Clip) -> LoadedVideo:
        if clip.video_id in self._failures:
            raise MediaError(f"video {clip.video_id}: {self._failures[clip.video_id]}")
        loaded = self._loaded.get(clip.video_id)
        if loaded is None:
            raise MediaError(f"video {clip.video_id}: the clip was not prepared, or its video is released already")
        return loaded

    def duration_s(self, path: Path, heartbeat: Callable[[], None] = lambda: None) -> float:
        """How long a video is, by its data; :class:`MediaError` if it cannot be told.

        The file is opened if it is not remembered from before; what it holds is hashed on the way.
        """
        from s3harness.media.probe import measure

        note = self._cache.load_record(path, _found(path))
        if note is None or note.duration_s is None or note.decoder != self._decoder:
            with self._opened(path) as file:
                content = note.content if note else self._hash(file, heartbeat)
                note = SourceRecord(content, measure(file, heartbeat).duration_s, self._decoder)
                self._cache.save_record(path, os.fstat(file.fileno()), note)
        assert note.duration_s is not None
        return note.duration_s

    def _fill(self, video: Video, clips: Sequence[Clip], heartbeat: Callable[[], None]) -> None:
        if video.path is None:
            raise MediaError("the data set has no file for it")
        loaded = self._loaded.get(video.id) or self._recall(video.path)
        if loaded is None or any(loaded.missing(clips)):
            loaded = self._open(video.path, loaded, clips, heartbeat)
        self._loaded[video.id] = loaded

    def _recall(self, path: Path) -> LoadedVideo | None:
        """What the cache has of a file that has not changed since it was hashed; the file is not opened."""
        note = self._cache.load_record(path, _found(path))
        return self._stock(note.content) if note else None

    def _stock(self, content: str) -> LoadedVideo:
        loaded = LoadedVideo(content)
        for slab in self._cache.slabs(content):
            part = parse_cache_file(slab, self._decoder)
            if part is not None:
                loaded.add(part, slab.path)
        return loaded

    def _open(
        self, path: Path, loaded: LoadedVideo | None, clips: Sequence[Clip], heartbeat: Callable[[], None]
    ) -> LoadedVideo:
        """Open the file, once, and decode what is still missing when its content is known."""
        with self._opened(path) as file:
            content = self._content(path, file, heartbeat)
            if loaded is None or loaded.content != content:
                loaded = self._stock(content)
            wanted, audio = loaded.missing(clips)
            if wanted or audio:
                self._decode(file, loaded, wanted, audio, heartbeat)
        return loaded

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

    def _content(self, path: Path, file: BufferedReader, heartbeat: Callable[[], None]) -> str:
        found = os.fstat(file.fileno())
        note = self._cache.load_record(path, found)
        if note is None:
            note = SourceRecord(self._hash(file, heartbeat))
            self._cache.save_record(path, found, note)
        return note.content

    def _hash(self, file: BufferedReader, heartbeat: Callable[[], None]) -> str:
        digest = hashlib.sha256()
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            heartbeat()
        file.seek(0)
        return digest.hexdigest()

    def _decode(
        self,
        file: BufferedReader,
        loaded: LoadedVideo,
        wanted: Mapping[int, frozenset[float]],
        audio: bool,
        heartbeat: Callable[[], None],
    ) -> None:
        from s3harness.media.container import Decoding
        from s3harness.media.decode import decode

        with self._lock:
            self.decodes += 1
        how = Decoding(self.options.threads, self.options.hwaccel)
        with CacheWriter(self._cache, loaded.content, self._decoder) as recording:
            for item in decode(file, wanted, audio, how, heartbeat):
                recording.write(item, wanted, audio)
        loaded.source = recording.source
        for slab in recording.slabs:
            part = parse_cache_file(slab, self._decoder)
            assert part is not None
            loaded.add(part, slab.path)
        self._cache.evict({path for known in (loaded, *self._loaded.copy().values()) for path in known.paths})

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
