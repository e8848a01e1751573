"""One input in a target, and many in a process of their own."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.inputs import Input
from fuzz.limits import Bounds, limit_memory, processor_time
from fuzz.mutate import mutated
from fuzz.targets import Target, port

CURRENT, REASON, NOVEL = "current.json", "reason.txt", "novel"
BROKEN = 3
"""Exit status of a process whose target broke its contract; one that took too much ends by a signal."""


class Child:
    """A process that tries inputs; ``scratch`` holds the current input, and the reason if it gives up."""

    def __init__(self, target: Target, scratch: Path) -> None:
        self._target, self._scratch = target, scratch
        self._bounds = Bounds()
        self._outcomes: set[str] = set()
        self._port = port() if target.is_served else None
        # Last, so that all that the process needs itself is not counted.
        limit_memory()

    def try_one(self, one: Input) -> None:
        """Run the target on an input; end the process where it breaks its contract."""
        # Before it is tried: a signal ends the process without a chance to say what it was at.
        one.save(self._scratch, CURRENT.removesuffix(".json"))
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        own = folder / "input"
        own.mkdir()
        tempfile.tempdir = str(folder)
        try:
            one.put(own)
        except (OSError, ValueError):
            return  # no file system takes such a name
        try:
            with processor_time(), self._bounds.within(folder, self._port):
                outcome = self._target.run(own)
            self._remember(one, repr(outcome))
        except self._target.raises as error:
            self._remember(one, _place_of(error))
        except BaseException as error:
            self._give_up(error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _remember(self, one: Input, outcome: str) -> None:
        """Keep an input with an outcome that no other had yet: mutations of it may get further into the parser."""
        if outcome not in self._outcomes:
            self._outcomes.add(outcome)
            one.save(self._scratch / NOVEL, hashlib.sha256(outcome.encode()).hexdigest())

    def _give_up(self, error: BaseException) -> None:
        try:
            # The innermost calls tell two crashes apart; the outer ones are the fuzzer's own.
            reason = "".join(traceback.format_exception(error, limit=-12))
        except (MemoryError, RecursionError):
            reason = type(error).__name__
        (self._scratch / REASON).write_text(reason[-6_000:], errors="replace")
        # No clean-up: after a MemoryError or a broken bound nothing of this process is to be trusted.
        os._exit(BROKEN)


def _place_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)


def batch(draw: random.Random, pool: list[Input], size: int) -> Iterator[Input]:
    """Yield the inputs of a batch: mutations of those in the pool, and mutations of these."""
    for _ in range(size):
        one = mutated(draw, draw.choice(pool), pool)
        yield one
        if draw.random() < 0.3:
            yield mutated(draw, one, pool)


def in_a_child(run: Callable[[], None]) -> int:
    """Return the exit status of a forked process; negative for the number of a signal."""
    # Text that waits in the buffer would be printed by both processes.
    sys.stdout.flush()
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        run()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
