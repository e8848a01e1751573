"""Try mutated inputs in every target for a while, or one input again.

``python -m fuzz --seconds 600`` exits with 1 if a target broke its contract; each such input is kept in
``fuzz/crashes`` and printed with the command that tries it again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz.inputs import Input

BATCH = 60
"""Inputs that are drawn for one process."""
TURN_S = 5
"""Seconds after which it is the turn of the next parser."""
WALL_S = 60
"""Seconds after which an input hangs; waiting takes no processor time, which is limited apart."""
TRIED = "tried.txt"
LARGEST_POOL = 200
LARGEST_INPUT = 300_000
RIGHT_ONES = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=None, help="the same inputs again, batch by batch")
    parser.add_argument("--target", action="append", help="this one alone; may be given more than once")
    parser.add_argument("--replay", type=Path, help="a kept input")
    parser.add_argument("--seeds", action="store_true", help="write the first inputs of the corpus")
    options = parser.parse_args()
    if options.seeds:
        from fuzz.seeds import make

        make()
        return 0
    if options.replay:
        return _replay(options.replay)
    return _fuzz(options.seconds, options.seed, options.target)


def _fuzz(seconds: float, seed: int | None, chosen: list[str] | None) -> int:
    from fuzz.targets import targets

    # Printed below, so that a crash of a run without a seed can be had again.
    seed = int(time.time()) if seed is None else seed
    session = {name: _Pool(name, seed) for name in (chosen or targets())}
    print(f"fuzzing {len(session)} parsers for {seconds:g} s; --seed {seed}", flush=True)
    end, turn, names = time.monotonic() + seconds, 0, list(session)
    # What broke a parser once comes first, whatever time is left.
    for pool in session.values():
        pool.try_corpus()
    while time.monotonic() < end:
        session[names[turn % len(names)]].try_batch()
        turn += 1
    for pool in session.values():
        print(f"{pool.name}: {pool.tried} inputs, {len(pool.inputs)} in the pool, {len(pool.crashes)} crashes")
    crashes = [path for pool in session.values() for path in pool.crashes]
    print(f"{sum(pool.tried for pool in session.values())} inputs, {len(crashes)} crashes")
    return 1 if crashes else 0


def _replay(path: Path) -> int:
    from fuzz.inputs import read_input

    one = read_input(path)
    pool = _Pool(one.target, 0)
    reason = pool.reason_of([one])
    print(reason or f"{path.name}: {one.target} keeps its contract")
    return 1 if reason else 0


class _Pool:
    """The inputs of a target, and the crashes they led to."""

    def __init__(self, name: str, seed: int) -> None:
        from fuzz.inputs import corpus_of
        from fuzz.targets import targets, warm_up

        self.name, self.target = name, targets()[name]
        self.inputs = list(corpus_of(name))
        self.crashes: list[Path] = []
        self.tried = 0
        self._draw = random.Random(f"{seed} {name}")
        self._reasons: set[str] = set()
        self._places: set[str] = set()
        # Imports are made once here: in each forked process they would count against its limits.
        for one in self.inputs[:RIGHT_ONES]:
            with suppress(*self.target.raises):
                warm_up(self.target, one.put)

    def try_corpus(self) -> None:
        """Try the kept inputs as they are."""
        # One process for each: a crash ends the process, and would hide the crashes after it.
        for one in tuple(self.inputs):
            self._try([one])

    def try_batch(self) -> None:
        """Try a batch of mutations."""
        from fuzz.child import batch

        self._try(list(batch(self._draw, self.inputs, BATCH)))

    def reason_of(self, inputs: list[Input]) -> str:
        """Return why a process ended before it had tried all of them, "" if it had."""
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_scratch()) as name:
            return self._run(Path(name), inputs)[0]

    def _try(self, inputs: list[Input]) -> None:
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_scratch()) as name:
            reason, current = self._run(Path(name), inputs)
            self.tried += int(tried.read_text()) if (tried := Path(name, TRIED)).exists() else 0
            self._grow(Path(name))
            if reason and current:
                self._report(reason, current)

    def _run(self, scratch: Path, inputs: list[Input]) -> tuple[str, Path | None]:
        from fuzz.child import BROKEN, CURRENT, REASON, Child, in_a_child

        def run() -> None:
            child, end = Child(self.target, scratch), time.monotonic() + TURN_S
            for number, one in enumerate(inputs, start=1):
                # By a signal's default action, as no handler runs while compiled code waits.
                signal.alarm(WALL_S)
                child.try_one(one)
                (scratch / TRIED).write_text(str(number))
                if time.monotonic() > end:
                    break

        status = in_a_child(run)
        reasons = {0: "", -signal.SIGPROF: "took more than 2 s of processor time", -signal.SIGALRM: "hangs"}
        if status == BROKEN:
            reason = (scratch / REASON).read_text(errors="replace")
        else:
            reason = reasons.get(status, f"ended the process with status {status}")
        return reason, scratch / CURRENT

    def _grow(self, scratch: Path) -> None:
        from fuzz.child import NOVEL
        from fuzz.inputs import read_input

        for path in (scratch / NOVEL).glob("*.json"):
            if path.name not in self._places and path.stat().st_size < LARGEST_INPUT:
                self._places.add(path.name)
                self.inputs.append(read_input(path))
        # Thinned out by chance: the newest are mostly mutations of one another.
        if len(self.inputs) > LARGEST_POOL:
            self.inputs = self._draw.sample(self.inputs, LARGEST_POOL)

    def _report(self, reason: str, current: Path) -> None:
        from fuzz.inputs import CRASHES, read_input

        last = [line for line in reason.strip().splitlines() if line.strip().startswith("File ")][-1:]
        # The last call and the message stand for a defect; its other inputs are not reported again.
        kind = f"{reason.strip().splitlines()[-1][:60]} {last}"
        if kind in self._reasons:
            return
        self._reasons.add(kind)
        path = read_input(current).save(CRASHES)
        self.crashes.append(path)
        print(f"\n{self.name}: {reason.strip()}\n{path}\npython -m fuzz --replay {path}\n", flush=True)


def _scratch() -> str | None:
    """Return a folder in memory, if there is one: each input writes its files."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main())
