"""Limits of a run: the number of requests under way, and of videos decoded ahead of the engine."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from s3harness.types import Clip

Order = tuple[int, int]
"""The place of a clip: the number of its video in the plan and its own in the video, or its turn among those begun."""


class PrioritySemaphore:
    """A semaphore whose waiters are served in a given order, the lowest first.

    ``asyncio.Semaphore`` serves its waiters in the order in which they came.
    """

    def __init__(self, n: int) -> None:
        self._free = n
        self._waiting: list[tuple[Order, int, asyncio.Future[None]]] = []
        self._tickets = count()

    def claim(self, order: Order) -> asyncio.Future[None]:
        """Return a future that is done when there is room; its owner calls :meth:`release` in the end."""
        claim: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # The ticket decides between equal orders: the first comes first, and futures cannot be compared.
        heapq.heappush(self._waiting, (order, next(self._tickets), claim))
        self._serve()
        return claim

    def release(self) -> None:
        """Make room for one more."""
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        while self._free and self._waiting:
            claim = heapq.heappop(self._waiting)[-1]
            # A claim is done already if its owner was cancelled while it waited; its place goes to the next.
            if not claim.done():
                self._free -= 1
                claim.set_result(None)


@dataclass
class AdmittedVideo:
    """A video that may be decoded: its number, the bytes that it may take, and whether the engine has begun with it."""

    number: int
    size: int
    is_begun: bool = False


class DecodeAdmission:
    """Admits videos to be decoded, in the order in which they come.

    At most ``ahead`` may be there that the engine has not begun with, and all together may take ``most_bytes``; a video
    that is larger by itself is admitted alone.
    """

    def __init__(self, ahead: int, most_bytes: int) -> None:
        self._ahead, self._most_bytes = ahead, most_bytes
        self._waiting = self._bytes = self._inside = 0
        self._numbers = count()
        # Only the first in line waits for room: a small video must not overtake a large one for ever.
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()

    async def enter(self, size: int) -> AdmittedVideo:
        """Wait for room, and admit a video of ``size`` bytes."""
        async with self._line:
            await self._wait_until_room(size)
            self._waiting, self._bytes, self._inside = self._waiting + 1, self._bytes + size, self._inside + 1
            return AdmittedVideo(next(self._numbers), size)

    async def wait_for_room(self) -> None:
        """Wait until a video of ordinary size would be admitted."""
        async with self._line:
            await self._wait_until_room(0)

    def begin(self, video: AdmittedVideo) -> None:
        """Note that the engine begins with a video; a second call does nothing."""
        if not video.is_begun:
            video.is_begun = True
            self._waiting -= 1
            self._changed.set()

    def leave(self, video: AdmittedVideo) -> None:
        """Free the room of a video."""
        # A video that failed to decode leaves without the engine having begun with it.
        self.begin(video)
        self._bytes, self._inside = self._bytes - video.size, self._inside - 1
        self._changed.set()

    async def _wait_until_room(self, size: int) -> None:
        while not self._has_room(size):
            self._changed.clear()
            await self._changed.wait()

    def _has_room(self, size: int) -> bool:
        # With nothing inside any video is admitted, or one beyond the limit would wait for ever.
        return self._inside == 0 or (self._waiting < self._ahead and self._bytes + size <= self._most_bytes)


class ClipPrimer:
    """Lets the first turn about a clip be answered alone, so that an engine has cached the clip for the others."""

    def __init__(self) -> None:
        self._begun: dict[Clip, asyncio.Lock] = {}
        self._primed: set[Clip] = set()

    @asynccontextmanager
    async def turn_of(self, clip: Clip) -> AsyncIterator[None]:
        """Hold a turn about a clip back until the first one is over."""
        if clip in self._primed:
            yield
            return
        async with self._begun.setdefault(clip, asyncio.Lock()):
            if clip not in self._primed:
                try:
                    yield
                finally:
                    self._primed.add(clip)
                return
        yield
