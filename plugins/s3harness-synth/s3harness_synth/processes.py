"""Work shared among processes, none of which outlives the one that began it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from s3harness import S3HarnessError

T = TypeVar("T")


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of ``count`` fresh processes that end when the block fails, or when this process ends in any way.

    Raises:
        S3HarnessError: one of them was killed from outside.

    """
    # Spawned, not forked: a forked process would hold our end of the pipe, too, and never see it closed.
    context = get_context("spawn")
    # Every process waits at one end of a pipe. The system closes the other end when this process dies, even by SIGKILL.
    theirs, ours = context.Pipe(duplex=False)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_end_with, initargs=(theirs,)) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise S3HarnessError(
                f"one of the {count} processes was killed, most likely for want of memory; ask for fewer"
            ) from error
        except BaseException:
            ours.close()
            pool.shutdown(cancel_futures=True)
            raise


def submit_all(
    pool: ProcessPoolExecutor, work: Callable[..., T], arguments: Iterable[Sequence[Any]]
) -> list[Future[T]]:
    """Submit a call of ``work`` for each of the arguments.

    SIGINT is blocked in the processes that this starts: Ctrl-C reaches all processes of a terminal, and one that is
    still being started would print its traceback. The first process gets the signal and ends the others.
    """
    # The mask is inherited by a child that is started now; afterwards a signal that has come meanwhile is delivered.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return [pool.submit(work, *each) for each in arguments]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(other: Connection) -> None:
    """End this process when the ``other`` end of the pipe is closed, be it by hand or by the death of its owner."""
    # A daemon: the wait at the pipe must not keep a process alive that has done its work.
    threading.Thread(target=_end_after, args=(other,), daemon=True).start()


def _end_after(other: Connection) -> None:
    with suppress(EOFError, OSError):
        other.recv_bytes()
    # Not sys.exit, which would end this thread alone.
    os._exit(1)
