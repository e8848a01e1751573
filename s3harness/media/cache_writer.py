"""Writes what a decode pass gives into the cache."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from s3harness.media.cache import MediaCache
from s3harness.media.frame_file import ReelWriter, Slab, SlabWriter, finish_track
from s3harness.media.frames import End, Item, Picture, Sound, Source
from s3harness.media.geometry import Size, times_by_size


class Recording:
    """A reel for each size, and a track; ``slabs`` are there after the pass. Leaving early leaves nothing behind."""

    def __init__(self, cache: MediaCache, content: str, decoder: str) -> None:
        self.source: Source | None = None
        self.slabs: list[Slab] = []
        self._cache, self._content, self._decoder = cache, content, decoder
        self._reels: dict[Size, ReelWriter] = {}
        self._track: SlabWriter | None = None

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._abandon()

    def take(self, item: Item, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        """Write the next item of a pass that was asked for ``wanted`` and ``audio``."""
        match item:
            case Source():
                self._begin(item, wanted, audio)
            case Picture():
                self._reels[item.size].append(item)
            case Sound():
                assert self._track is not None
                self._track.append(item.samples)
            case End():
                self._finish(item.end_s)

    def _begin(self, source: Source, wanted: Mapping[int, frozenset[float]], audio: bool) -> None:
        self._abandon()
        self.source = source
        for size, times in times_by_size(source.size, wanted).items():
            if times:
                self._reels[size] = ReelWriter(self._cache.writer(self._content), size, times)
        if audio and source.has_audio:
            self._track = self._cache.writer(self._content)

    def _finish(self, end_s: float | None) -> None:
        assert self.source is not None
        for reel in self._reels.values():
            self.slabs.append(reel.finish(self._decoder, self.source, end_s))
        if self._track is not None:
            self.slabs.append(finish_track(self._track, self._decoder, self.source, end_s))

    def _abandon(self) -> None:
        """Give up what has been written so far."""
        for writer in (self._track, *(reel.slab for reel in self._reels.values())):
            if writer is not None:
                writer.abandon()
        self._reels, self._track = {}, None
