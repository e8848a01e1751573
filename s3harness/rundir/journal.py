"""The journal: ``responses.jsonl``, one line per answered request, written once and never changed.

A line is written by one ``write`` call, so a kill at any instant leaves whole lines and at most one torn tail, which
is mended when the journal is next opened. A failure may be followed by an answer of a resumed run; the last line of
a request counts.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import time
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json
from s3harness.rundir.append import append_line, open_private
from s3harness.rundir.id_set import CompactIdSet
from s3harness.rundir.journal_line import JournalEntry, entry_of, line_of
from s3harness.rundir.sent import SentLog
from s3harness.types import Request, Response

FILE = "responses.jsonl"
SYNC_SECONDS = 2.0
"""Seconds between two syncs to the disk: a power failure loses the answers since the last, a kill loses none."""


class Journal:
    """The one writer of a run's journal. A second process that opens it is refused."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        # Ids and reasons of failures alone: the responses of a long run are not held in memory.
        self._answered, self._failures = CompactIdSet(), dict[str, str]()
        # Turns of conversations that are under way; they are dropped when the answer of the conversation comes.
        self._turns: dict[str, dict[str, tuple[Response, str]]] = {}
        self.answered_by: set[int] = set()
        self._fd = _open_locked(self.path)
        try:
            mend(self.path)
            for entry in read_journal(self.path):
                self._remember(entry.id, entry.response, entry.parent, entry.media)
                self.answered_by |= set() if entry.by is None else {entry.by}
            self._sent = SentLog(directory)
        except OSError as error:
            os.close(self._fd)
            raise _unwritable(self.path, error) from error
        # Ctrl-C too: an open descriptor would hold the lock on the journal.
        except BaseException:
            os.close(self._fd)
            raise
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # In this order, so that no line of the journal refers to a record that is not on the disk.
            self._sent.sync()
            os.fsync(self._fd)
        except OSError as sync_error:
            raise _unwritable(self.path, sync_error) from sync_error
        finally:
            self._sent.close()
            os.close(self._fd)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is written yet."""
        return not self._answered and not self._failures and not self._turns

    @property
    def n_answered(self) -> int:
        """Number of requests that are answered."""
        return len(self._answered) - sum(request_id in self._answered for request_id in self._failures)

    def is_answered(self, request_id: str) -> bool:
        """Tell whether a request has a response other than a failure."""
        return request_id not in self._failures and request_id in self._answered

    def turns(self, request_id: str) -> Mapping[str, tuple[Response, str]]:
        """Return id → reply and key of its media, of the turns of a conversation that has no answer; no failures."""
        return dict(self._turns.get(request_id, {}))

    def write(self, request: Request, response: Response, media: str, by: int | None = None) -> bool:
        """Append a response; return false if the request has been answered, or has failed in the same way before.

        The records of what was sent are written first, so that no line refers to one that is not there. ``by`` is the
        number of the identity that answered. Raises :class:`S3HarnessError` if the disk takes no more; what is
        journalled is safe.
        """
        has_failed_so = response.status == "failed" and self._failures.get(request.id) == response.error
        is_known = request.id in self._turns.get(request.parent, ()) if request.parent else self.is_answered(request.id)
        if has_failed_so or is_known:
            return False
        sent = self._add_sent(request, response)
        # Half a surrogate pair, as engines leave where they cut a text, has no UTF-8.
        line = json.dumps(line_of(request, response, media, by, sent), ensure_ascii=False).encode(errors="replace")
        self._append(line + b"\n")
        self._remember(request.id, response, request.parent, media)
        return True

    def _remember(self, request_id: str, response: Response, parent: str, media: str) -> None:
        """Remember a failure with its reason, and of an answer only that there is one; the last line counts.

        The replies to turns are held until their conversation is answered.
        """
        if parent:
            if response.status != "failed":
                self._turns.setdefault(parent, {})[request_id] = response, media
        elif response.status == "failed":
            self._failures[request_id] = response.error
        else:
            self._failures.pop(request_id, None)
            self._answered.add(request_id)
            self._turns.pop(request_id, None)

    def _add_sent(self, request: Request, response: Response) -> Mapping[str, str]:
        # Nothing was sent for an answer that was composed of turns, each of which has its own records.
        if response.conversation is not None:
            return {}
        try:
            return self._sent.add(request, response)
        except OSError as error:
            raise _unwritable(self._sent.path, error) from error

    def _append(self, line: bytes) -> None:
        try:
            append_line(self._fd, line)
            if time.monotonic() - self._synced > SYNC_SECONDS:
                self._sent.sync()
                os.fsync(self._fd)
                self._synced = time.monotonic()
        except OSError as error:
            raise _unwritable(self.path, error) from error


def read_journal(path: Path) -> Iterator[JournalEntry]:
    """Yield the entries of a journal in the order written; a torn last line is passed over.

    Raises :class:`S3HarnessError` naming a line that cannot be read.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if (entry := _read(path, number, line)) is not None:
                yield entry


class JournalIndex:
    """An index of a journal by task and video: it holds the place of each line in the file, and no line.

    Only lines of ``tasks`` are indexed. Raises :class:`S3HarnessError` naming a line that cannot be read, at once or
    when the line is read.
    """

    def __init__(self, path: Path, tasks: Collection[str]) -> None:
        self.path = path
        # Arrays of machine integers: a journal has millions of lines, and a list would take several times the memory.
        self._starts = array("Q")
        self._numbers: defaultdict[tuple[bytes, bytes], array[int]] = defaultdict(lambda: array("I"))
        wanted, start = {task.encode() for task in tasks}, 0
        with self._opened() as file:
            for number, line in enumerate(file, start=1):
                self._starts.append(start)
                start += len(line)
                about = _about(path, number, line)
                if about is not None and about[0] in wanted:
                    self._numbers[about].append(number)

    def __enter__(self) -> Self:
        self._file = self._opened()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def entries(self, task: str, video_id: str) -> Iterator[JournalEntry]:
        """Yield the entries of a task about a video, in the order written."""
        for number in self._numbers.get((task.encode(), video_id.encode()), ()):
            self._file.seek(self._starts[number - 1])
            if (entry := _read(self.path, number, self._file.readline())) is not None:
                yield entry

    def _opened(self) -> BinaryIO:
        return self.path.open("rb") if self.path.exists() else io.BytesIO()


_ABOUT = re.compile(
    rb'\{"id": "[\w-]*", "task": "([\w./-]*)", "item": "[^"\\]*", "subject": "[^"\\]*", '
    rb'"clip": \{"video_id": "([\w-]*)", .*\}\n',
    re.ASCII,
)
"""A line that this module wrote, with its task and its video. To match it is cheaper than to parse the line."""


def _about(path: Path, number: int, line: bytes) -> tuple[bytes, bytes] | None:
    """Return task and video of a line, ``None`` if the line is torn."""
    if match := _ABOUT.fullmatch(line):
        return match[1], match[2]
    entry = _read(path, number, line)
    return None if entry is None else (entry.task.encode(), entry.clip.video_id.encode())


def _read(path: Path, number: int, line: bytes) -> JournalEntry | None:
    """Parse a line; return ``None`` if it is torn. Raises :class:`S3HarnessError` naming one that cannot be read."""
    try:
        return entry_of(parse_json(line))
    except (ValueError, KeyError, TypeError) as error:
        # Only the last line can lack its end: a write was cut short there, and its answer is asked for again.
        if not line.endswith(b"\n"):
            return None
        raise S3HarnessError(
            f"{path}:{number}: not a line of a journal ({error!r}); remove the line and use --resume"
        ) from error


def mend(path: Path) -> None:
    """Mend a torn tail: end the last line if it is whole but for its end, cut it off if it is not."""
    with path.open("rb+") as file:
        data_end = file.seek(0, os.SEEK_END)
        start = _last_line_start(file, data_end)
        file.seek(start)
        tail = file.read()
        if not tail or tail.endswith(b"\n"):
            return
        try:
            entry_of(parse_json(tail))
            file.write(b"\n")
        except (ValueError, KeyError, TypeError):
            file.truncate(start)


def _unwritable(path: Path, error: OSError) -> S3HarnessError:
    return S3HarnessError(
        f"the journal {path} cannot be written: {error.strerror}; all answers so far are safe, "
        "free some space and continue with --resume"
    )


def _last_line_start(file: Any, end: int, block: int = 65536) -> int:
    """Return the position at which the last line begins, reading the file from its end."""
    position = end
    while position > 0:
        size = min(block, position)
        file.seek(position - size)
        # The line break at the very end of the file belongs to the last line itself.
        newline = file.read(size).rfind(b"\n", 0, size - (position == end))
        if newline >= 0:
            return int(position - size + newline + 1)
        position -= size
    return 0


def _open_locked(path: Path) -> int:
    try:
        fd = open_private(path)
    except OSError as error:
        raise UsageError(f"the journal {path} cannot be opened: {error.strerror}") from error
    # The lock goes with the process, however that ends: there is no stale lock to be deleted.
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise UsageError(f"another run is writing to {path.parent}; wait for it or choose another --out") from error
    return fd
