"""Work shared among processes, none of which outlives the one that began it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection

from s3harness import S3HarnessError


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """``count`` fresh processes. They end at once when the block fails, and when this process does, however it dies.

    Raises:
        S3HarnessError: one of them was killed from outside.

    """
    context = get_context("spawn")
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


def _end_with(other: Connection) -> None:
    """Ends this process when the ``other`` end of the pipe is closed, be it by hand or by the death of its owner."""
    threading.Thread(target=_end_after, args=(other,), daemon=True).start()


def _end_after(other: Connection) -> None:
    with suppress(EOFError, OSError):
        other.recv_bytes()
    os._exit(1)
