"""A directory that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def partial_directory(out: Path) -> Iterator[Path]:
    """A hidden directory beside ``out`` that becomes it when the block ends, and is removed if that fails.

    A process that is killed can remove nothing: what it left (``.NAME.PID.partial``) goes when the next one writes to
    the same place.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    for left in _abandoned(out):
        shutil.rmtree(left, ignore_errors=True)
    partial = out.parent / f".{out.name}.{os.getpid()}.partial"
    try:
        partial.mkdir()
        yield partial
        # A rename within one directory is atomic: nobody ever sees half a data set at `out`.
        # An empty directory at `out` is replaced as well.
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _abandoned(out: Path) -> Iterator[Path]:
    """Partial directories of processes that no longer run."""
    for left in out.parent.glob(".*.partial"):
        name, _, number = left.name.removesuffix(".partial").rpartition(".")
        if name == f".{out.name}" and number.isdigit() and not _alive(int(number)):
            yield left


def _alive(process: int) -> bool:
    """``True`` if another process of this number runs."""
    with suppress(ProcessLookupError):
        try:
            os.kill(process, 0)  # signal 0 only asks whether the process is there
        except PermissionError:  # it is, and belongs to another user
            return True
        # A process of this number that left something behind is one of before, whose number was given out again.
        return process != os.getpid()
    return False
