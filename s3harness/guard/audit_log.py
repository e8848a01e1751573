"""The audit log of a run, ``audit.jsonl``: connections and requests of this process, written before they are made.

Lines are only ever added, each by one ``write``, so that a kill at any instant leaves whole lines and at most one torn
tail, which the next start takes away. Each line holds the beginning of the hash of the line before it, so that a log
that was changed later shows it. It names hosts, and so it stays in the run directory and is in no submission.

========  =============================================================================================
event     contents of its line
========  =============================================================================================
started   ``backend``, ``model``, ``executor``, ``hosts`` that the backend names, ``allow_remote`` as the user gave it,
          and ``identifiers`` that the user let through to the model, with the reason
contact   ``address``, ``port``, and ``how``: ``here``, ``named``, ``unnamed``, or ``refused`` (nothing was sent)
request   ``host``, ``bytes`` of its body, and the ``id`` of the run's request, empty where a server was only greeted
ended     ``status`` (complete, stopped, or the error's name), ``answered`` and ``failed``; missing after a kill
========  =============================================================================================
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from s3harness.errors import S3HarnessError
from s3harness.files import parse_json
from s3harness.guard.sockets import watched

FILE = "audit.jsonl"
HASH_LENGTH = 16


class AuditLog:
    """The open audit log of a run directory: a context manager for as long as the run sends requests.

    ``started`` is the content of the first line; ``count`` returns, at the end, the numbers of answers and failures.
    """

    def __init__(self, directory: Path, started: Mapping[str, object], count: Callable[[], Mapping[str, int]]) -> None:
        self.path = directory / FILE
        self._started, self._count = started, count
        self._contacts: set[tuple[str, int, str]] = set()
        self._lock = threading.Lock()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._fd, self._before = self._open_file()
        self._append("started", self._started)
        named = self._started.get("allow_remote", ())
        assert isinstance(named, Sequence)
        # Watched only once the log is open: a contact that cannot be written down must not be made.
        self._open.enter_context(watched(self.contact, named))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        status = "complete" if kind is None else "stopped" if kind is KeyboardInterrupt else kind.__name__
        try:
            self._append("ended", {"status": status, **self._count()})
            os.fsync(self._fd)
        except OSError as os_error:
            raise self._unwritable(os_error) from os_error
        finally:
            os.close(self._fd)

    def contact(self, address: str, port: int, how: str) -> None:
        """Log a connection to an address; each kind of contact with it is logged once."""
        # Thousands of requests use the same few connections and addresses; each request has a line of its own.
        if (address, port, how) not in self._contacts:
            self._contacts.add((address, port, how))
            self._append("contact", {"address": address, "port": port, "how": how})

    def sent(self, host: str, n_bytes: int, request_id: str = "") -> None:
        """Log a request before it is sent; raises :class:`S3HarnessError` if it cannot be logged and must not go."""
        self._append("request", {"host": host, "bytes": n_bytes, "id": request_id})

    def _append(self, event: str, facts: Mapping[str, object]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock:
            line = json.dumps({"event": event, "at": at, **facts, "before": self._before}).encode()
            start = os.lseek(self._fd, 0, os.SEEK_END)
            try:
                # One write for each line: a kill between two would leave half a line in the middle of the log.
                if os.write(self._fd, line + b"\n") < len(line) + 1:
                    raise OSError(0, "only a part of the line was written")
            except OSError as error:
                # On a full disk a part may have been written; the next line must not be glued to it.
                os.ftruncate(self._fd, start)
                raise self._unwritable(error) from error
            self._before = line_hash(line)

    def _open_file(self) -> tuple[int, str]:
        """Open the log for appending without a torn tail; return it and the hash of its last line."""
        try:
            # O_NOFOLLOW: a link in a copied run directory could have another file appended to.
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            whole, _, torn = self.path.read_bytes().rpartition(b"\n")
            if torn:
                os.ftruncate(fd, len(whole) + (1 if whole else 0))
        except OSError as error:
            raise self._unwritable(error) from error
        return fd, line_hash(whole.rpartition(b"\n")[2]) if whole else ""

    def _unwritable(self, error: OSError) -> S3HarnessError:
        return S3HarnessError(
            f"the audit log {self.path} cannot be written: {error.strerror}; nothing is sent without it"
        )


def read_audit(path: Path) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the lines of a log, each with whether it follows the line before unchanged; a torn tail is passed over.

    Raises :class:`S3HarnessError` naming a line that cannot be read.
    """
    before = ""
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            return
        try:
            event = parse_json(line)
            yield event, event["before"] == before
        except (ValueError, KeyError, TypeError) as error:
            raise S3HarnessError(
                f"{path}:{number}: not a line of an audit log; the file was changed after the run"
            ) from error
        before = line_hash(line.rstrip(b"\n"))


def line_hash(line: bytes) -> str:
    """Return the beginning of the SHA-256 of a line, without its end of line."""
    return hashlib.sha256(line).hexdigest()[:HASH_LENGTH]
