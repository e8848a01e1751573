"""Appends lines to a file; a kill at any instant leaves whole lines and at most one torn tail."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def append_line(fd: int, line: bytes) -> None:
    """Append a line, whole or not at all; raises ``OSError`` if the disk takes no more."""
    start = os.lseek(fd, 0, os.SEEK_END)
    try:
        # One call for the whole line, so that a kill comes before it or after it.
        if os.write(fd, line) < len(line):
            raise OSError(errno.ENOSPC, "only a part of the line was written")
    except OSError:
        # A full disk may take a part of the line: a line written later would follow it without a break.
        os.ftruncate(fd, start)
        raise


def open_private(path: Path) -> int:
    """Open a file to append to, made if it is not there, that its owner alone can read. Raises ``OSError``."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
