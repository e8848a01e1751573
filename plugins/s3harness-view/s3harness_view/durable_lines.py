"""Files of JSON lines to which lines are only added: each is on the disk before the writer is answered."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import s3harness


def append_json(path: Path, value: Mapping[str, Any]) -> None:
    """Append a line, on the disk before this returns. Raises :class:`S3HarnessError` if the disk takes no more."""
    line = json.dumps(value, ensure_ascii=False).encode(errors="replace") + b"\n"
    try:
        fd = s3harness.open_private(path)
        try:
            # Two browsers, or two servers, may write at once; the lock goes with the descriptor.
            fcntl.flock(fd, fcntl.LOCK_EX)
            _end_torn_line(fd)
            s3harness.append_line(fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise s3harness.S3HarnessError(f"{path} cannot be written: {error.strerror}") from error


def read_json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each line; what a kill left of a line is passed over."""
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            yield number, s3harness.parse_json(line)
        # A torn line was ended by the next writer: it is no JSON, and was never confirmed.
        except ValueError:
            continue


def _end_torn_line(fd: int) -> None:
    end = os.lseek(fd, 0, os.SEEK_END)
    if end and os.pread(fd, 1, end - 1) != b"\n":
        os.write(fd, b"\n")
