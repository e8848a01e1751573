"""What is at hand of one video while it is worked on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from s3harness.errors import MediaError
from s3harness.media.frame_file import AudioTrack, FrameTrack, drop_pages
from s3harness.media.frames import RATE, SLACK_S, Frames, Samples, StreamInfo
from s3harness.media.geometry import Size, fit
from s3harness.media.resample import cut
from s3harness.types import Clip

Form = TypeVar("Form")


class EncodedForms:
    """What was made of the clips of one video, until it is dropped."""

    def __init__(self) -> None:
        self._made: dict[Hashable, dict[Hashable, Any]] = {}
        self._turns: dict[tuple[Hashable, Hashable], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, clip: Hashable, kind: Hashable, make: Callable[[], Form]) -> Form:
        """A form of a clip. Who asks while it is made waits for it; what ``make`` raises is not kept."""
        with self._lock:
            made = self._made.setdefault(clip, {})
            turn = self._turns.setdefault((clip, kind), threading.Lock())
        with turn:
            if kind not in made:
                made[kind] = make()
            return cast("Form", made[kind])

    def drop(self, clip: Hashable) -> None:
        """Forget the forms of a clip."""
        with self._lock:
            for kind in self._made.pop(clip, {}):
                self._turns.pop((clip, kind), None)


class LoadedVideo:
    """The reels and the track of one video, mapped, and what was made of its clips.

    One thread adds to it while others may read.
    """

    def __init__(self, content: str) -> None:
        self.content = content
        self.source: StreamInfo | None = None
        self.paths: frozenset[Path] = frozenset()
        self.forms = EncodedForms()
        self._frame_tracks: list[FrameTrack] = []
        self._audio_track: AudioTrack | None = None

    def add(self, part: FrameTrack | AudioTrack, path: Path | None) -> None:
        """Put a reel or a track on the shelf; ``path`` is its file, if it has one."""
        self.source = part.source
        if isinstance(part, AudioTrack):
            self._audio_track = part
        else:
            self._frame_tracks = [*self._frame_tracks, part]
        if path is not None:
            self.paths |= {path}

    def missing(self, clips: Iterable[Clip]) -> tuple[dict[int, frozenset[float]], bool]:
        """The times that have to be decoded for each ``max_pixels``, and whether the sound has to be."""
        times: dict[int, set[float]] = {}
        sound = False
        for clip in clips:
            lacking = {time for time in clip.timestamps if not self._knows(time, clip.max_pixels)}
            if lacking or self.source is None:
                times.setdefault(clip.max_pixels, set()).update(lacking)
            sound = sound or (
                clip.audio and self._audio_track is None and (self.source is None or self.source.has_audio)
            )
        return {max_pixels: frozenset(lacking) for max_pixels, lacking in times.items()}, sound

    def size(self, clip: Clip) -> Size:
        """The size of the clip's pictures."""
        if self.source is None:
            raise MediaError("the clip was not prepared")
        return fit(self.source.size, clip.max_pixels)

    @property
    def has_audio(self) -> bool:
        """Whether the video has sound; :class:`MediaError` before it was prepared."""
        if self.source is None:
            raise MediaError("the clip was not prepared")
        return self.source.has_audio

    def frames(self, clip: Clip) -> Frames:
        """The clip's pictures; :class:`MediaError` if the video ends before the clip does."""
        size, found = self.size(clip), self.found(clip)
        pixels = np.empty((len(clip.timestamps), size.height, size.width, 3), np.uint8)
        times = []
        for i, (track, frame) in enumerate(found):
            pixels[i] = track.pixels[frame]
            times.append(track.times[frame])
        for track in {id(track): track for track, _ in found}.values():
            drop_pages(track.pixels)
        return Frames(pixels, tuple(times))

    def found(self, clip: Clip) -> list[tuple[FrameTrack, int]]:
        """Where each picture of the clip is; :class:`MediaError` if the video ends before the clip does."""
        size = self.size(clip)
        return [self._find(wanted, size, clip) for wanted in clip.timestamps]

    def audio(self, clip: Clip, rate: int) -> Samples:
        """The clip's sound; :class:`MediaError` if there is none or the recording ends before the clip does."""
        if not self.has_audio:
            raise MediaError("the video has no audio track")
        if self._audio_track is None:
            raise MediaError("the audio was not prepared: the clip's sampler has audio off")
        end_s = max(self._audio_track.end_s, len(self._audio_track.samples) / RATE)
        if clip.end_s > end_s + SLACK_S:
            raise MediaError(f"the video ends at {end_s:.1f} s, the clip needs audio up to {clip.end_s:.1f} s")
        return cut(self._audio_track.samples, clip.start_s, clip.end_s, rate)

    def _knows(self, wanted: float, max_pixels: int) -> bool:
        if self.source is None:
            return False
        size = fit(self.source.size, max_pixels)
        return any(
            track.size == size and (wanted in track.frame_of or wanted in track.absent) for track in self._frame_tracks
        )

    def _find(self, wanted: float, size: Size, clip: Clip) -> tuple[FrameTrack, int]:
        for track in self._frame_tracks:
            if track.size != size:
                continue
            if wanted in track.frame_of:
                return track, track.frame_of[wanted]
            if wanted in track.absent:
                last = max(clip.timestamps)
                raise MediaError(f"the video ends at {track.end_s:.1f} s, the clip needs frames up to {last:.1f} s")
        raise MediaError("the clip was not prepared")
