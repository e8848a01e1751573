"""Ending work that was stopped: the first Ctrl-C or SIGTERM ends it in order."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from s3harness.run.blocking import unblocked
from s3harness.run.threads import PatientThreads

THREADS = 64
BLOCKED_S = 600.0


def until_stopped(work: Coroutine[Any, Any, None], blocked_s: float = BLOCKED_S) -> None:
    """Run to the end, or to the first Ctrl-C or SIGTERM, which is raised as ``KeyboardInterrupt``.

    A request that blocks the event loop for ``blocked_s`` seconds fails, and threads that hang are not waited for.
    """

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        loop.set_default_executor(PatientThreads(THREADS))
        with on_sigterm(lambda *_: loop.call_soon_threadsafe(task.cancel)), unblocked(loop, blocked_s):
            await work

    try:
        asyncio.run(main())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error
    except BaseExceptionGroup as group:
        raise _first(group) from group


@contextmanager
def on_sigterm(handler: Callable[..., object]) -> Iterator[None]:
    """Have SIGTERM handled like this for a while. Only the main thread may say so; in others nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
