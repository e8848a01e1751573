"""The decoded tracks of one video, and the encodings of its clips, while requests about it are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from s3harness.errors import MediaError
from s3harness.media.frame_file import AudioTrack, FrameTrack, drop_pages
from s3harness.media.frames import RATE, SLACK_S, Frames, Samples, StreamInfo
from s3harness.media.geometry import Size, crop_box, fit, uncropped_pixels
from s3harness.media.resample import cut
from s3harness.types import Clip

Form = TypeVar("Form")


class EncodedForms:
    """The forms (JPEG, MP4, audio, …) that were made of the clips of one video, until they are dropped."""

    def __init__(self) -> None:
        self._forms: dict[Hashable, dict[Hashable, Any]] = {}
        self._locks: dict[tuple[Hashable, Hashable], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, clip: Hashable, kind: Hashable, make: Callable[[], Form]) -> Form:
        """Return a form of a clip, made by ``make`` the first time; an error of ``make`` is raised and not stored.

        A second caller waits while the form is made for the first.
        """
        with self._lock:
            forms = self._forms.setdefault(clip, {})
            lock = self._locks.setdefault((clip, kind), threading.Lock())
        # Held without the common lock, so that other clips and kinds can be encoded at the same time.
        with lock:
            if kind not in forms:
                forms[kind] = make()
            return cast("Form", forms[kind])

    def drop(self, clip: Hashable) -> None:
        """Forget the forms of a clip."""
        with self._lock:
            for kind in self._forms.pop(clip, {}):
                self._locks.pop((clip, kind), None)


class LoadedVideo:
    """The frame tracks and the audio track of one video, mapped from the cache, and the encodings of its clips.

    One thread adds tracks while others may read.
    """

    def __init__(self, content: str) -> None:
        self.content = content
        self.stream: StreamInfo | None = None
        self.paths: frozenset[Path] = frozenset()
        self.forms = EncodedForms()
        self._frame_tracks: list[FrameTrack] = []
        self._audio_track: AudioTrack | None = None

    def add(self, track: FrameTrack | AudioTrack, path: Path | None) -> None:
        """Add a track; ``path`` is its cache file, if it is on the disk."""
        self.stream = track.stream
        if isinstance(track, AudioTrack):
            self._audio_track = track
        else:
            # A new list: a reader may be walking the old one.
            self._frame_tracks = [*self._frame_tracks, track]
        if path is not None:
            self.paths |= {path}

    def missing(self, clips: Iterable[Clip]) -> tuple[dict[int, frozenset[float]], bool]:
        """Return the times that have to be decoded for each ``max_pixels``, and whether the audio has to be."""
        times: dict[int, set[float]] = {}
        needs_audio = False
        for clip in clips:
            max_pixels = uncropped_pixels(clip.max_pixels, clip.crop)
            lacking = {time for time in clip.timestamps if not self._has(time, max_pixels)}
            # A pass without any time still tells the size of the video and whether it has audio.
            if lacking or self.stream is None:
                times.setdefault(max_pixels, set()).update(lacking)
            may_have_audio = self.stream is None or self.stream.has_audio
            needs_audio = needs_audio or (clip.audio and self._audio_track is None and may_have_audio)
        return {max_pixels: frozenset(lacking) for max_pixels, lacking in times.items()}, needs_audio

    def size(self, clip: Clip) -> Size:
        """Size of the clip's frames."""
        size = self._decoded_size(clip)
        if clip.crop is None:
            return size
        left, top, right, bottom = crop_box(size, clip.crop)
        return Size(right - left, bottom - top)

    def _decoded_size(self, clip: Clip) -> Size:
        """Size of the whole frames of which the clip shows a part, or all."""
        if self.stream is None:
            raise MediaError("the clip was not prepared")
        return fit(self.stream.size, uncropped_pixels(clip.max_pixels, clip.crop))

    @property
    def has_audio(self) -> bool:
        """Tell whether the video has audio; :class:`MediaError` before it was prepared."""
        if self.stream is None:
            raise MediaError("the clip was not prepared")
        return self.stream.has_audio

    def frames(self, clip: Clip) -> Frames:
        """Return the clip's frames; :class:`MediaError` if the video ends before the clip does."""
        size, places = self.size(clip), self.locate(clip)
        left, top, right, bottom = crop_box(self._decoded_size(clip), clip.crop) if clip.crop else (0, 0, *size)
        pixels = np.empty((len(clip.timestamps), size.height, size.width, 3), np.uint8)
        times = []
        for i, (track, frame) in enumerate(places):
            pixels[i] = track.pixels[frame][top:bottom, left:right]
            times.append(track.times[frame])
        # By identity: a track is a dataclass of arrays, which cannot be hashed.
        for track in {id(track): track for track, _ in places}.values():
            drop_pages(track.pixels)
        return Frames(pixels, tuple(times))

    def locate(self, clip: Clip) -> list[tuple[FrameTrack, int]]:
        """Return the track and the index of each of the clip's frames.

        Raises :class:`MediaError` if the video ends before the clip does.
        """
        size = self._decoded_size(clip)
        return [self._locate(wanted, size, clip) for wanted in clip.timestamps]

    def audio(self, clip: Clip, rate: int) -> Samples:
        """Return the clip's audio; :class:`MediaError` if there is none or the video ends before the clip does."""
        if not self.has_audio:
            raise MediaError("the video has no audio track")
        if self._audio_track is None:
            raise MediaError("the audio was not prepared: the clip's sampler has audio off")
        # Audio may go on behind the last frame, and frames behind the last sample.
        end_s = max(self._audio_track.end_s, len(self._audio_track.samples) / RATE)
        if clip.end_s > end_s + SLACK_S:
            raise MediaError(f"the video ends at {end_s:.1f} s, the clip needs audio up to {clip.end_s:.1f} s")
        return cut(self._audio_track.samples, clip.start_s, clip.end_s, rate)

    def _has(self, wanted: float, max_pixels: int) -> bool:
        if self.stream is None:
            return False
        size = fit(self.stream.size, max_pixels)
        tracks = (track for track in self._frame_tracks if track.size == size)
        return any(wanted in track.frame_of or wanted in track.absent for track in tracks)

    def _locate(self, wanted: float, size: Size, clip: Clip) -> tuple[FrameTrack, int]:
        for track in self._frame_tracks:
            if track.size != size:
                continue
            if wanted in track.frame_of:
                return track, track.frame_of[wanted]
            if wanted in track.absent:
                last = max(clip.timestamps)
                raise MediaError(f"the video ends at {track.end_s:.1f} s, the clip needs frames up to {last:.1f} s")
        raise MediaError("the clip was not prepared")
