"""A limit on how long somebody else's code may take in the main thread."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_S = 1.0
"""What swallows the first interruption is interrupted again after so long."""


class TookTooLong(BaseException):
    """Raised inside the code that took too long. No ``Exception``, which that code might well catch."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not done after {seconds:g} s")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise :class:`TookTooLong` in what runs here once it took so many seconds.

    Waiting and Python code are interrupted; compiled code that never returns is not. Only the main thread can be
    interrupted, elsewhere there is no limit. One limit may lie inside another.
    """
    # Python runs signal handlers in the main thread alone, and lets no other thread set them.
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: object) -> None:
        raise TookTooLong(seconds)

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, late)
    # There is one timer for the process: what is left of an outer limit is put back at the end.
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        # Stopped before the handler is restored, lest the alarm meets the wrong one.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            # At least a millisecond, for 0 would switch the outer limit off.
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-3), AGAIN_S)
