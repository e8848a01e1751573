"""Videos, frames and sound for the browser: as recorded where nothing hid them, else as the run showed them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import s3harness

SOUND_BINS = 800
SOUND_RATE = 8000
CLIPS_HELD = 8
"""Encoded clips held in memory: those that a reader goes to and fro between."""
COPIES_BYTES = 8 * 1024**3
"""Bytes of browser copies that are kept; the oldest are deleted first."""

Value = TypeVar("Value")


class MediaRoom:
    """The media of a data set; may be called from several threads, all of whose calls may take seconds."""

    def __init__(self, data: Path | None, cache_dir: Path | None = None) -> None:
        self.dataset = s3harness.load_dataset(data) if data is not None else None
        self._videos = {video.id: video for video in self.dataset.videos} if self.dataset else {}
        self._cache_dir = cache_dir or s3harness.default_cache_dir()
        self._stores: dict[tuple[str, ...], s3harness.MediaStore] = {}
        self._held: OrderedDict[tuple[object, ...], object] = OrderedDict()
        self._lock = threading.Lock()

    def refusal(self, manifest: Mapping[str, Any]) -> str:
        """Return why a run's videos cannot be shown; empty if they can."""
        if self.dataset is None:
            return "Videos and annotations are shown with --data DIR, the run's data set."
        if manifest["run"]["dataset"].get("fingerprint") != self.dataset.fingerprint:
            return "The data set given with --data is not that of this run, or has changed since."
        return ""

    def video(self, video_id: str) -> s3harness.Video:
        """Return a video of the data set; :class:`MediaError` if it has none of this id."""
        if video_id not in self._videos:
            raise s3harness.MediaError(f"the data set has no video {video_id!r:.40}")
        return self._videos[video_id]

    def playable(self, video_id: str) -> Path:
        """Return a file that browsers play: the video's own, or a copy made now and kept in the private cache."""
        path = self.video(video_id).path
        if path is None or not path.is_file():
            raise s3harness.MediaError(f"video {video_id}: its file is missing")
        if s3harness.plays_in_browsers(path):
            return path
        folder = self._cache_dir / "media" / "browser"
        # Each by itself: mkdir sets the mode of the last folder alone.
        for part in (self._cache_dir, folder.parent, folder):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = path.stat()
        key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
        copy = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.mp4"
        # One at a time: a second browser waits for the copy that the first one has begun.
        with self._lock:
            if not copy.exists():
                unfinished = copy.with_suffix(f".{os.getpid()}.part")
                s3harness.write_browser_copy(path, unfinished)
                unfinished.replace(copy)
                _evict(folder, keep=copy)
        return copy

    def frames(self, run: Mapping[str, Any], record: Mapping[str, Any]) -> s3harness.Jpegs:
        """Return the frames of a record of what was sent, as JPEG files, through the run's transforms."""
        return self._of_clip("jpeg", run, record, lambda store, clip: store.jpegs(clip))

    def clip_mp4(self, run: Mapping[str, Any], record: Mapping[str, Any]) -> bytes:
        """Return the clip of a record of what was sent as a video, through the run's transforms."""

        def encode(store: s3harness.MediaStore, clip: s3harness.Clip) -> bytes:
            try:
                return store.mp4(clip)
            # A transform that mutes hands no sound over: the clip is then shown without, as the model had it.
            except s3harness.MediaError:
                if not clip.audio:
                    raise
                return store.mp4(_clip(record, hears=False))

        return self._of_clip("mp4", run, record, encode)

    def sound(self, video_id: str) -> list[float]:
        """Return the peaks of a video's sound, 0–1, in :data:`SOUND_BINS` equal parts; empty if it has none."""
        video = self.video(video_id)
        duration = video.duration_s or 0.0
        clip = s3harness.Clip(video_id, 0.0, duration, (0.0,), 64 * 64, audio=True)
        if not duration:
            return []
        # Imported here: the first page shows no sound, and does not wait for it.
        import numpy as np

        def peaks(store: s3harness.MediaStore, clip: s3harness.Clip) -> list[float]:
            if not store.has_audio(clip):
                return []
            samples = np.abs(store.audio(clip, SOUND_RATE))
            return [round(float(part.max(initial=0.0)), 3) for part in np.array_split(samples, SOUND_BINS)]

        return self._prepared(("sound", video_id), (), video, clip, peaks)

    def _of_clip(
        self,
        form: str,
        run: Mapping[str, Any],
        record: Mapping[str, Any],
        encode: Callable[[s3harness.MediaStore, s3harness.Clip], Value],
    ) -> Value:
        names = tuple(transform["name"] for transform in run.get("transforms", ()))
        # A probe may have given the clip the sound of another one, which is not recorded here.
        clip = _clip(record, hears=not run.get("probe"))
        return self._prepared((form, names, record["id"]), names, self.video(record["video_id"]), clip, encode)

    def _prepared(
        self,
        key: tuple[object, ...],
        transforms: Sequence[str],
        video: s3harness.Video,
        clip: s3harness.Clip,
        use: Callable[[s3harness.MediaStore, s3harness.Clip], Value],
    ) -> Value:
        # One at a time: a video that is released must not be in use by another thread.
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]  # type: ignore[return-value]
            store = self._store(tuple(transforms))
            store.prepare(video, [clip])
            try:
                self._held[key] = value = use(store, clip)
            finally:
                store.release(video.id)
            while len(self._held) > CLIPS_HELD:
                self._held.popitem(last=False)
            return value

    def _store(self, transforms: tuple[str, ...]) -> s3harness.MediaStore:
        if transforms not in self._stores:
            self._stores[transforms] = s3harness.media_store(self._cache_dir, transforms=transforms)
        return self._stores[transforms]


def frame_times(record: Mapping[str, Any]) -> list[float]:
    """Return the times of the frames of a record, in seconds: those sent, or those wanted where none are recorded."""
    return list(record.get("times_s") or record.get("wanted_s") or ())


def _clip(record: Mapping[str, Any], *, hears: bool) -> s3harness.Clip:
    sound = bool(record.get("sound_s") or record.get("sound"))
    times = tuple(frame_times(record))
    return s3harness.Clip(
        record["video_id"], record["start_s"], record["end_s"], times, record["max_pixels"], audio=sound and hears
    )


def _evict(folder: Path, keep: Path) -> None:
    """Delete the oldest copies beyond the budget."""
    copies = sorted(folder.glob("*.mp4"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = 0
    for path in copies:
        total += path.stat().st_size
        if total > COPIES_BYTES and path != keep:
            path.unlink(missing_ok=True)
