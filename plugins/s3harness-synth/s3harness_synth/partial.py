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
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _abandoned(out: Path) -> Iterator[Path]:
    """What processes left that are no more."""
    for left in out.parent.glob(".*.partial"):
        name, _, number = left.name.removesuffix(".partial").rpartition(".")
        if name == f".{out.name}" and number.isdigit() and not _alive(int(number)):
            yield left


def _alive(process: int) -> bool:
    """Whether a process runs; one of another user does."""
    with suppress(ProcessLookupError):
        try:
            os.kill(process, 0)
        except PermissionError:
            return True
        return process != os.getpid()
    return False
