"""Runs the event loop of a run, and ends work that is stopped, that blocks, or that takes too long.

The first Ctrl-C or SIGTERM ends a run in order. No plugin keeps the process from ending: a task that ignores its
cancellation is named in an error and left behind, and threads that hang are daemons.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, TypeVar

THREADS = 64
"""Most threads that ``asyncio.to_thread`` starts: backends may block one for each request under way."""
BLOCKED_S = 600.0
"""Seconds after which a request that blocks the event loop fails, unless the caller gives another limit."""
CANCELLATION_S = 5.0
"""Seconds that a cancelled task may take to end."""
LONGEST_BLOCK_S = 3600.0
"""A request may block for no longer than this, however long an answer may take."""
CHECKS = 4
"""Number of times within the limit that the event loop resets the timer of the watchdog."""

_log = logging.getLogger("s3harness.run")

Result = TypeVar("Result")


class StubbornError(Exception):
    """A request goes on although it was cancelled."""


class BlockedError(BaseException):
    """Raised inside a request that blocks the event loop. No ``Exception``, which the request might well catch."""


def run_until_stopped(work: Coroutine[Any, Any, None], blocked_s: float = BLOCKED_S) -> None:
    """Run to the end, or to the first Ctrl-C or SIGTERM, which is raised as ``KeyboardInterrupt``.

    A request that blocks the event loop for ``blocked_s`` seconds fails. Neither threads that hang nor tasks that
    ignore their cancellation are waited for.
    """

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        with on_sigterm(lambda *_: loop.call_soon_threadsafe(task.cancel)), blocking_watchdog(loop, blocked_s):
            await work

    runner = asyncio.Runner()
    loop = runner.get_loop()
    loop.set_default_executor(DaemonThreadPool(THREADS))
    loop.set_exception_handler(_report_unless_abandoned)
    try:
        runner.run(main())
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        _close(runner, blocked_s)


@contextmanager
def on_sigterm(handler: Callable[..., object]) -> Iterator[None]:
    """Have SIGTERM handled by ``handler`` for a while; do nothing in other threads than the main one."""
    # Python lets the main thread alone set handlers.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def with_timeout(work: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
    """Return the result of a request.

    Raises ``TimeoutError`` if it takes longer, and :class:`StubbornError` if it then ignores its cancellation.
    """
    # asyncio.timeout() would wait for ever for a task that ignores its cancellation; asyncio.wait() does not.
    task = asyncio.ensure_future(_request(work))
    try:
        done, _ = await asyncio.wait([task], timeout=timeout_s)
    except asyncio.CancelledError:
        await _cancel([task])
        raise
    if done:
        return task.result()
    if await _cancel([task]):
        raise StubbornError(f"no answer within {timeout_s:g} s, and generate() ignored its cancellation")
    raise TimeoutError


@contextmanager
def blocking_watchdog(loop: asyncio.AbstractEventLoop, seconds: float) -> Iterator[None]:
    """Raise :class:`BlockedError` in a request that blocks the event loop for so many seconds.

    Nothing but requests is interrupted, as an engine may take its time to load. Only a loop of the main thread is
    watched: a signal interrupts no other thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = min(seconds, LONGEST_BLOCK_S)

    reset: asyncio.Handle

    def reset_timer() -> None:
        nonlocal reset
        # The interval has the alarm come again: one that came while no request ran interrupted nothing.
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        reset = loop.call_later(seconds / CHECKS, reset_timer)

    def interrupt(_: int, frame: FrameType | None) -> None:
        # The frame is that which the signal interrupted; a request is known by a frame of _request below it.
        while frame is not None:
            if frame.f_code is _request.__code__:
                raise BlockedError(
                    f"generate() blocked the event loop for {seconds:g} s; it must run blocking work in a thread"
                )
            frame = frame.f_back

    before = signal.signal(signal.SIGALRM, interrupt)
    reset = loop.call_soon(reset_timer)
    try:
        yield
    finally:
        reset.cancel()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class DaemonThreadPool(ThreadPoolExecutor):
    """A pool for ``asyncio.to_thread``, of daemon threads; one ends that has nothing to do for a while.

    The threads of ``ThreadPoolExecutor`` (Python 3.11) are joined when the process ends, so that one that hangs would
    keep it from ending. It is the base class because event loops accept no other executor as their default.
    """

    IDLE_S = 10.0

    def __init__(self, most: int) -> None:
        super().__init__(max_workers=1)
        self._most, self._idle, self._n = most, 0, 0
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._own_lock = threading.Lock()

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Have a function called by the next thread that is free."""
        future: Future[Result] = Future()
        self._jobs.put(lambda: _call(future, fn, args, kwargs))
        with self._own_lock:
            # More jobs than idle threads: one of the jobs would wait for a thread that may hang.
            if self._jobs.qsize() > self._idle and self._n < self._most:
                self._n += 1
                threading.Thread(target=self._work, daemon=True, name=f"s3harness-{self._n}").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: threads end by themselves, and the loop's own shutdown would wait for those that hang."""

    def _work(self) -> None:
        while True:
            with self._own_lock:
                self._idle += 1
            try:
                job = self._jobs.get(timeout=self.IDLE_S)
            except Empty:
                job = None
            with self._own_lock:
                self._idle -= 1
                # A job may have come between the timeout and this line, counting on this thread.
                if job is None and self._jobs.empty():
                    self._n -= 1
                    return
            if job is not None:
                job()


def _call(future: Future[Result], fn: Callable[..., Result], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:
        # It is the caller's, SystemExit too; raised here it would end this thread.
        future.set_exception(error)


def _first(error: BaseException) -> BaseException:
    """Return the first error of nested groups: a run has one reason to end, and says one sentence."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _request(work: Coroutine[Any, Any, Result]) -> Result:
    """Await a request in a frame by which :func:`blocking_watchdog` knows it."""
    try:
        return await work
    except SystemExit as error:
        # A task that raises SystemExit ends the event loop, and the process with it.
        raise RuntimeError(f"generate() tried to end the process ({error})") from error


_ABANDONED = "abandoned by s3harness"
"""The name that a task gets which ignored its cancellation; the name is a public mark that stays with the task."""


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Cancel tasks and wait for them to end; abandon and return those that do not."""
    for task in tasks:
        task.cancel()
    done, stubborn = await asyncio.wait(tasks, timeout=CANCELLATION_S)
    for task in done:
        # Look at the error: the loop reports one that nobody looked at.
        task.cancelled() or task.exception()
    for task in stubborn:
        task.set_name(_ABANDONED)
    return stubborn


async def _cancel_all(loop: asyncio.AbstractEventLoop, blocked_s: float) -> None:
    """Cancel all tasks of the loop, and log an error that names those which ignore it."""
    # A task abandoned before has had its time, and is named in the error of its request.
    tasks = [task for task in asyncio.all_tasks() if task.get_name() != _ABANDONED]
    tasks = [task for task in tasks if task is not asyncio.current_task()]
    with blocking_watchdog(loop, blocked_s):
        for task in await _cancel(tasks) if tasks else ():
            name = getattr(task.get_coro(), "__qualname__", "a task")
            _log.error("%s goes on although it was cancelled; the process ends without it", name)


def _close(runner: asyncio.Runner, blocked_s: float) -> None:
    """Cancel the tasks that are left, and close the event loop without waiting for those that ignore it.

    ``asyncio.Runner.close()`` (Python 3.11), and so ``asyncio.run()``, waits for every task however long it takes. It
    is called only if no task is left; otherwise its other steps are done here. A task that is left is a coroutine that
    nobody resumes: it keeps neither the loop from closing nor the process from ending, so that all files are closed in
    order, and the process need not be killed by ``os._exit()``.
    """
    loop = runner.get_loop()
    runner.run(_cancel_all(loop, blocked_s))
    if not asyncio.all_tasks(loop):
        runner.close()
        return
    loop.run_until_complete(loop.shutdown_asyncgens())
    asyncio.set_event_loop(None)
    loop.close()


def _report_unless_abandoned(
    loop: asyncio.AbstractEventLoop, context: dict[str, Any], abandoned: str = _ABANDONED
) -> None:
    """Report what goes wrong in the loop, but not that an abandoned task is destroyed while it is pending.

    The name is bound as a default: tasks are destroyed as late as at the end of the interpreter, without globals.
    """
    task = context.get("task", context.get("future"))
    if getattr(task, "get_name", str)() != abandoned:
        loop.default_exception_handler(context)
