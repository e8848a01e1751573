"""Writes the items of a decode pass into the cache."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from s3harness.media.cache import MediaCache
from s3harness.media.frame_file import CacheFile, CacheFileWriter, FrameTrackWriter, finish_audio_track
from s3harness.media.frames import AudioChunk, DecodedFrame, DecodedItem, EndOfPass, StreamInfo
from s3harness.media.geometry import Size, times_by_size


class CacheWriter:
    """Writes a frame track for each size, and an audio track; ``files`` holds them after the pass.

    Leaving the context before the pass is over deletes what was written.
    """

    def __init__(self, cache: MediaCache, content: str, decoder: str) -> None:
        self.stream: StreamInfo | None = None
        self.files: list[CacheFile] = []
        self._cache, self._content, self._decoder = cache, content, decoder
        self._frame_writers: dict[Size, FrameTrackWriter] = {}
        self._audio_writer: CacheFileWriter | None = None

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._abandon()

    def write(self, item: DecodedItem, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        """Write the next item of a pass that decodes ``wanted`` (``max_pixels`` → times in s) and ``audio``."""
        match item:
            case StreamInfo():
                self._begin(item, wanted, audio)
            case DecodedFrame():
                self._frame_writers[item.size].append(item)
            case AudioChunk():
                assert self._audio_writer is not None
                self._audio_writer.append(item.samples)
            case EndOfPass():
                self._finish(item.end_s)

    def _begin(self, stream: StreamInfo, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        # A second StreamInfo says that the pass has begun anew, and that nothing before it counts.
        self._abandon()
        self.stream = stream
        for size, times in times_by_size(stream.size, wanted).items():
            if times:
                self._frame_writers[size] = FrameTrackWriter(self._cache.writer(self._content), size, times)
        if audio and stream.has_audio:
            self._audio_writer = self._cache.writer(self._content)

    def _finish(self, end_s: float | None) -> None:
        assert self.stream is not None
        for frames in self._frame_writers.values():
            self.files.append(frames.finish(self._decoder, self.stream, end_s))
        if self._audio_writer is not None:
            self.files.append(finish_audio_track(self._audio_writer, self._decoder, self.stream, end_s))

    def _abandon(self) -> None:
        """Delete what has been written so far."""
        for writer in (self._audio_writer, *(frames.writer for frames in self._frame_writers.values())):
            if writer is not None:
                writer.abandon()
        self._frame_writers, self._audio_writer = {}, None
