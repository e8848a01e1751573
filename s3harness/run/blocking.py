"""Requests that will not end: those that ignore being cancelled, and those that hold up everything else.

All requests of a process share one event loop. One that swallows its cancellation would keep the run from ending, and
one that blocks would keep all others from going on; both become failures of their own.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from asyncio.tasks import _unregister_task
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar, cast

Result = TypeVar("Result")

ENDING_S = 5.0
"""What is cancelled may take so long to end."""
MOST_S = 3600.0
"""Nothing may block for longer, however long an answer may take."""
LOOKS = 4
"""So often within the time that it may stand still, the loop shows that it goes on."""


class StubbornError(Exception):
    """Something goes on although it was cancelled."""


class BlockedError(BaseException):
    """Raised inside a request that keeps the event loop waiting. No ``Exception``, which it might well catch."""


async def limited(work: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
    """What a request comes to; ``TimeoutError`` if it takes longer, :class:`StubbornError` if it cannot be ended."""
    task = asyncio.ensure_future(_request(work))
    try:
        done, _ = await asyncio.wait([task], timeout=timeout_s)
    except asyncio.CancelledError:
        await _end(task)
        raise
    if done:
        return task.result()
    await _end(task)
    if not task.done():
        raise StubbornError(f"no answer within {timeout_s:g} s, and it goes on although it was cancelled")
    raise TimeoutError


@contextmanager
def unblocked(loop: asyncio.AbstractEventLoop, seconds: float) -> Iterator[None]:
    """Raise :class:`BlockedError` in a request that keeps the loop from going on for so many seconds.

    Nothing but requests is interrupted: to load an engine may take its time. Only a loop of the main thread is looked
    after.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = min(seconds, MOST_S)

    look: asyncio.Handle

    def goes_on() -> None:
        nonlocal look
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        look = loop.call_later(seconds / LOOKS, goes_on)

    def stands_still(_: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code is _request.__code__:
                raise BlockedError(
                    f"it kept every other request waiting for {seconds:g} s; nothing in generate() may block"
                )
            frame = frame.f_back

    before = signal.signal(signal.SIGALRM, stands_still)
    look = loop.call_soon(goes_on)
    try:
        yield
    finally:
        look.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


async def _request(work: Coroutine[Any, Any, Result]) -> Result:
    """A frame of its own, by which :func:`unblocked` knows what it interrupts; none leaves Python from here."""
    try:
        return await work
    except SystemExit as error:
        raise RuntimeError(f"it tried to end the process ({error})") from error


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel a task; one that does not end is left to itself, and no loop waits for it."""
    task.cancel()
    await asyncio.wait([task], timeout=ENDING_S)
    if task.done():
        task.cancelled() or task.exception()
        return
    _unregister_task(task)
    cast("Any", task)._log_destroy_pending = False
