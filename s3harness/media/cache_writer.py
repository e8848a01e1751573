"""Writes what a decode pass gives into the cache."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from s3harness.media.cache import MediaCache
from s3harness.media.frame_file import CacheFile, CacheFileWriter, FrameTrackWriter, finish_audio_track
from s3harness.media.frames import AudioChunk, DecodedFrame, DecodedItem, EndOfPass, StreamInfo
from s3harness.media.geometry import Size, times_by_size


class CacheWriter:
    """A reel for each size, and a track; ``slabs`` are there after the pass. Leaving early leaves nothing behind."""

    def __init__(self, cache: MediaCache, content: str, decoder: str) -> None:
        self.source: StreamInfo | None = None
        self.slabs: list[CacheFile] = []
        self._cache, self._content, self._decoder = cache, content, decoder
        self._frame_tracks: dict[Size, FrameTrackWriter] = {}
        self._audio_track: CacheFileWriter | None = None

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._abandon()

    def write(self, item: DecodedItem, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        """Write the next item of a pass that was asked for ``wanted`` and ``audio``."""
        match item:
            case StreamInfo():
                self._begin(item, wanted, audio)
            case DecodedFrame():
                self._frame_tracks[item.size].append(item)
            case AudioChunk():
                assert self._audio_track is not None
                self._audio_track.append(item.samples)
            case EndOfPass():
                self._finish(item.end_s)

    def _begin(self, source: StreamInfo, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        self._abandon()
        self.source = source
        for size, times in times_by_size(source.size, wanted).items():
            if times:
                self._frame_tracks[size] = FrameTrackWriter(self._cache.writer(self._content), size, times)
        if audio and source.has_audio:
            self._audio_track = self._cache.writer(self._content)

    def _finish(self, end_s: float | None) -> None:
        assert self.source is not None
        for track in self._frame_tracks.values():
            self.slabs.append(track.finish(self._decoder, self.source, end_s))
        if self._audio_track is not None:
            self.slabs.append(finish_audio_track(self._audio_track, self._decoder, self.source, end_s))

    def _abandon(self) -> None:
        """Give up what has been written so far."""
        for writer in (self._audio_track, *(track.slab for track in self._frame_tracks.values())):
            if writer is not None:
                writer.abandon()
        self._frame_tracks, self._audio_track = {}, None
