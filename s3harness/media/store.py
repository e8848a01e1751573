"""The media store: gives backends the frames and the audio of a clip.

A video is opened and decoded at most once for all the clips that are prepared together, and not at all where the cache
holds them from an earlier run. The frames and the audio of a clip depend on the clip and the file alone.
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
    """Gives frames, audio, JPEG, MP4 and content hash of clips that were prepared.

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
        # Weak: the lock of a video goes when no thread holds or awaits it, so that a long run does not collect locks.
        self._video_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    def prepare(self, video: Video, clips: Sequence[Clip], heartbeat: Callable[[], None] = lambda: None) -> None:
        """Decode what ``clips``, all of ``video``, want and the cache does not hold. Blocks while it decodes.

        A video that fails raises nothing here: every later call for one of its clips raises :class:`MediaError`, and it
        is not tried again. ``heartbeat`` is called again and again while the work goes on, and may raise to end it.
        """
        # Two threads that prepare one video would decode it twice.
        with self._video_lock(video.id):
            if video.id in self._failures:
                return
            try:
                self._load(video, clips, heartbeat)
            except MediaError as error:
                self._failures.setdefault(video.id, str(error))
            # Another thread may have given the video up in the meantime, as it took too long.
            if video.id in self._failures:
                self._loaded.pop(video.id, None)

    def give_up(self, video_id: str, why: str) -> None:
        """Let every later call for a video fail for this reason, unless it has failed before."""
        with self._lock:
            self._failures.setdefault(video_id, why)
            # A thread that hangs while it prepares the video holds its lock for ever: nobody may wait for that one.
            self._video_locks.pop(video_id, None)

    def frames(self, clip: Clip) -> Frames:
        """Return the frames nearest to the clip's timestamps, one for each, no larger than its ``max_pixels``."""
        loaded = self._loaded_video(clip)
        with _named(clip.video_id):
            return loaded.frames(clip)

    def audio(self, clip: Clip, rate: int = 16_000) -> Samples:
        """Return the clip's audio from its start to its end: mono float32, round((end − start) · rate) samples."""
        loaded = self._loaded_video(clip)
        with _named(clip.video_id):
            # A copy: what a backend does to its samples must not reach the next request.
            return self._encoded(clip, ("audio", rate), lambda: loaded.audio(clip, rate)).copy()

    def has_audio(self, clip: Clip) -> bool:
        """Tell whether the clip has ``audio`` on and its video has any; for a silent video a model gets frames alone.

        Raises :class:`MediaError` for a clip that cannot be shown.
        """
        return clip.audio and self._loaded_video(clip).has_audio

    def has_sound(self, clip: Clip) -> bool:
        """Return :meth:`has_audio` under its old name, which goes with the next release."""
        warnings.warn("MediaStore.has_sound is now called has_audio", DeprecationWarning, stacklevel=2)
        return self.has_audio(clip)

    def jpegs(self, clip: Clip, quality: int = 90) -> Jpegs:
        """Return the clip's frames as JPEG files of a quality from 1 to 95, and their times.

        This and :meth:`mp4` encode the first time, while other callers wait; the result is held until the clip is
        finished or its video released.
        """
        from s3harness.media.encode import encode_jpegs

        return self._encoded(clip, ("jpeg", quality), lambda: encode_jpegs(self.frames(clip), quality))

    def mp4(self, clip: Clip) -> bytes:
        """Return the clip's frames, and its audio if it has ``audio`` on, as H.264 and AAC without metadata."""
        from s3harness.media.encode import encode_mp4

        def encode() -> bytes:
            audio = (self.audio(clip, RATE), RATE) if self.has_audio(clip) else None
            return encode_mp4(self.frames(clip), clip.start_s, clip.end_s, audio)

        return self._encoded(clip, "mp4", encode)

    def finish(self, clip: Clip) -> None:
        """Forget the encodings of a clip that no further request is about; its frames are still there."""
        loaded = self._loaded.get(clip.video_id)
        if loaded is not None:
            loaded.forms.drop(replace(clip, index=0))

    def key(self, clip: Clip) -> str:
        """Return a hash (SHA-256, hex) of all that determines the clip's media: file, frames, size, audio, decoder.

        It is the same for every form: an engine that caches one adds which (``f"{key}-jpeg90"``).
        Raises :class:`MediaError` for a clip that cannot be shown, as :meth:`frames` does.
        """
        loaded = self._loaded_video(clip)
        with _named(clip.video_id):
            loaded.locate(clip)  # raises for a clip that cannot be shown
            size = loaded.size(clip)
        determinants = [loaded.content, clip.timestamps, size, clip.start_s, clip.end_s, clip.audio, self._decoder]
        # Engines cache clips by their key, so that those of clips without a crop must stay the same.
        determinants += [clip.crop] if clip.crop else []
        return hashlib.sha256(json.dumps(determinants).encode()).hexdigest()

    def release(self, video_id: str) -> None:
        """Forget a video; its frames stay in the cache. Does not wait for a thread that is preparing it."""
        self._loaded.pop(video_id, None)

    def _encoded(self, clip: Clip, kind: Hashable, encode: Callable[[], Form]) -> Form:
        # The index of a clip says only where it stands among others: clips that differ in it alone are one.
        return self._loaded_video(clip).forms.get(replace(clip, index=0), kind, encode)

    def _loaded_video(self, clip: Clip) -> LoadedVideo:
        if clip.video_id in self._failures:
            raise MediaError(f"video {clip.video_id}: {self._failures[clip.video_id]}")
        loaded = self._loaded.get(clip.video_id)
        if loaded is None:
            raise MediaError(f"video {clip.video_id}: the clip was not prepared, or its video is released already")
        return loaded

    def duration_s(self, path: Path, heartbeat: Callable[[], None] = lambda: None) -> float:
        """Duration of a video in seconds, by its data; :class:`MediaError` if it cannot be measured.

        The file is opened if the cache has no record of it; it is then hashed as well.
        """
        from s3harness.media.probe import measure

        record = self._cache.load_record(path, _regular_file(path))
        # Another decoder may count frames, and so measure, otherwise.
        if record is None or record.duration_s is None or record.decoder != self._decoder:
            with self._opened(path) as file:
                content = record.content if record else self._hash(file, heartbeat)
                record = SourceRecord(content, measure(file, heartbeat).duration_s, self._decoder)
                self._cache.save_record(path, os.fstat(file.fileno()), record)
        assert record.duration_s is not None
        return record.duration_s

    def _load(self, video: Video, clips: Sequence[Clip], heartbeat: Callable[[], None]) -> None:
        if video.path is None:
            raise MediaError("the data set has no file for it")
        loaded = self._loaded.get(video.id) or self._load_unchanged(video.path)
        if loaded is None or any(loaded.missing(clips)):
            loaded = self._open_and_load(video.path, loaded, clips, heartbeat)
        self._loaded[video.id] = loaded

    def _load_unchanged(self, path: Path) -> LoadedVideo | None:
        """Load what the cache holds of a file that has not changed since it was hashed; the file is not opened."""
        record = self._cache.load_record(path, _regular_file(path))
        return self._load_cached(record.content) if record else None

    def _load_cached(self, content: str) -> LoadedVideo:
        loaded = LoadedVideo(content)
        for cache_file in self._cache.files(content):
            track = parse_cache_file(cache_file, self._decoder)
            if track is not None:
                loaded.add(track, cache_file.path)
        return loaded

    def _open_and_load(
        self, path: Path, loaded: LoadedVideo | None, clips: Sequence[Clip], heartbeat: Callable[[], None]
    ) -> LoadedVideo:
        """Open the file, once, and decode what is still missing when its content is known."""
        with self._opened(path) as file:
            content = self._content(path, file, heartbeat)
            # The file may be new here and yet a copy of one that the cache holds, or have changed meanwhile.
            if loaded is None or loaded.content != content:
                loaded = self._load_cached(content)
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
            # Without the path, which may name a patient, and "from None", as a traceback would show it.
            raise MediaError(f"its file cannot be read: {error.strerror}") from None
        with file:
            yield file

    def _content(self, path: Path, file: BufferedReader, heartbeat: Callable[[], None]) -> str:
        """Return the hash of an open file's content, from the cache if the file has not changed."""
        # The status of the open file: another file may have taken its path since.
        status = os.fstat(file.fileno())
        record = self._cache.load_record(path, status)
        if record is None:
            record = SourceRecord(self._hash(file, heartbeat))
            self._cache.save_record(path, status, record)
        return record.content

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
        with CacheWriter(self._cache, loaded.content, self._decoder) as writer:
            for item in decode(file, wanted, audio, how, heartbeat):
                writer.write(item, wanted, audio)
        loaded.stream = writer.stream
        for cache_file in writer.files:
            track = parse_cache_file(cache_file, self._decoder)
            assert track is not None
            loaded.add(track, cache_file.path)
        # The files of videos at hand stay. A copy, as other threads add videos at the same time.
        self._cache.evict({path for video in (loaded, *self._loaded.copy().values()) for path in video.paths})

    @property
    def _decoder(self) -> str:
        return _decoder(self.options)

    def _video_lock(self, video_id: str) -> threading.Lock:
        with self._lock:
            return self._video_locks.setdefault(video_id, threading.Lock())


@contextmanager
def _named(video_id: str) -> Iterator[None]:
    """Put the video's id before the text of a :class:`MediaError`."""
    try:
        yield
    except MediaError as error:
        raise MediaError(f"video {video_id}: {error}") from None


def _regular_file(path: Path) -> os.stat_result:
    """Return the status of a file; :class:`MediaError` if there is none, or it is no regular file."""
    try:
        status = path.stat()
    except OSError as error:
        raise MediaError(f"its file cannot be read: {error.strerror}") from None
    # Opening a pipe without a writer would hang, and reading a device might never end.
    if not stat.S_ISREG(status.st_mode):
        raise MediaError("its file cannot be read: it is no regular file")
    return status


@lru_cache
def _decoder(options: MediaOptions) -> str:
    # Imported only now: PyAV takes a while to load, and a run that decodes nothing does without it.
    from s3harness.media.container import Decoding, decoder_version

    return decoder_version(Decoding(options.threads, options.hwaccel))
