"""What bounds a run: how many requests are under way, and how far decoding is ahead of them."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass
from itertools import count

Order = tuple[int, int]
"""The place of a clip: the number of its video in the plan and its own in the video, or its turn among those begun."""


class PrioritySemaphore:
    """So many of something at once; of those that wait, the first in order goes first."""

    def __init__(self, n: int) -> None:
        self._free = n
        self._waiting: list[tuple[Order, int, asyncio.Future[None]]] = []
        self._tickets = count()

    def claim(self, order: Order) -> asyncio.Future[None]:
        """A future that is done when there is room; whoever awaited it calls :meth:`release` in the end."""
        claim: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (order, next(self._tickets), claim))
        self._serve()
        return claim

    def release(self) -> None:
        """There is room for one more."""
        self._free += 1
        self._serve()

    def _serve(self) -> None:
        while self._free and self._waiting:
            claim = heapq.heappop(self._waiting)[-1]
            if not claim.done():
                self._free -= 1
                claim.set_result(None)


@dataclass
class Admission:
    """A video that was let in: its number, the bytes that it may take, and whether the engine has come to it."""

    number: int
    size: int
    is_begun: bool = False


class DecodeAdmission:
    """Lets videos in, in the order in which they come.

    At most ``ahead`` may be there that the engine has not come to, and all together may take ``most_bytes``; one that
    is larger by itself is let in alone.
    """

    def __init__(self, ahead: int, most_bytes: int) -> None:
        self._ahead, self._most_bytes = ahead, most_bytes
        self._waiting = self._bytes = self._inside = 0
        self._numbers = count()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def enter(self, size: int) -> Admission:
        """Wait for room."""
        async with self._turn:
            while not self._has_room(size):
                self._changed.clear()
                await self._changed.wait()
            self._waiting, self._bytes, self._inside = self._waiting + 1, self._bytes + size, self._inside + 1
            return Admission(next(self._numbers), size)

    async def room(self) -> None:
        """Wait until a video of ordinary size would be let in."""
        async with self._turn:
            while not self._has_room(0):
                self._changed.clear()
                await self._changed.wait()

    def begin(self, video: Admission) -> None:
        """The engine has come to a video; said twice, it counts once."""
        if not video.is_begun:
            video.is_begun = True
            self._waiting -= 1
            self._changed.set()

    def leave(self, video: Admission) -> None:
        """A video is done with."""
        self.begin(video)
        self._bytes, self._inside = self._bytes - video.size, self._inside - 1
        self._changed.set()

    def _has_room(self, size: int) -> bool:
        return self._inside == 0 or (self._waiting < self._ahead and self._bytes + size <= self._most_bytes)
