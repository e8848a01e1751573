"""A file that only grows, line by line; a kill at any instant leaves whole lines and at most one torn tail."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def append_line(fd: int, line: bytes) -> None:
    """Append a line, which is in the file whole or not at all; raises ``OSError`` if the disk takes no more."""
    start = os.lseek(fd, 0, os.SEEK_END)
    try:
        if os.write(fd, line) < len(line):
            raise OSError(errno.ENOSPC, "only a part of the line was written")
    except OSError:
        os.ftruncate(fd, start)
        raise


def open_private(path: Path) -> int:
    """Open a file to append to, which its owner alone may read; it is made if it is not there. Raises ``OSError``."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
