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
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from s3harness.errors import S3HarnessError, UsageError
from s3harness.files import parse_json
from s3harness.rundir.append import append_line, open_private
from s3harness.rundir.id_set import CompactIdSet
from s3harness.rundir.sent import SentLog
from s3harness.types import Clip, Request, Response
from s3harness.value_checks import is_name, is_number, is_text, is_whole, mapping_to, maybe, one_of, record, wrong_field

FILE = "responses.jsonl"
SYNC_SECONDS = 2.0
"""Seconds between two syncs to the disk: a power failure loses the answers since the last, a kill loses none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One line: the request, the clip, and the response.

    ``by`` is the number, among the identities of the manifest, of the one that answered; ``None`` where that is not
    recorded. ``sent`` maps a kind of record of what was sent (:mod:`s3harness.rundir.sent`) to the record's id.
    """

    id: str
    task: str
    item: str
    subject: str
    clip: Clip
    media: str
    response: Response
    by: int | None = None
    sent: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """The one writer of a run's journal. A second process that opens it is refused."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        # Ids and reasons of failures alone: the responses of a long run are not held in memory.
        self._answered, self._failures = CompactIdSet(), dict[str, str]()
        self.answered_by: set[int] = set()
        self._fd = _open_locked(self.path)
        try:
            mend(self.path)
            for entry in read_journal(self.path):
                self._remember(entry.id, entry.response)
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
        return not self._answered and not self._failures

    @property
    def n_answered(self) -> int:
        """Number of requests that are answered."""
        return len(self._answered) - sum(request_id in self._answered for request_id in self._failures)

    def is_answered(self, request_id: str) -> bool:
        """Tell whether a request has a response other than a failure."""
        return request_id not in self._failures and request_id in self._answered

    def write(self, request: Request, response: Response, media: str, by: int | None = None) -> bool:
        """Append a response; return false if the request has been answered, or has failed in the same way before.

        The records of what was sent are written first, so that no line refers to one that is not there. ``by`` is the
        number of the identity that answered. Raises :class:`S3HarnessError` if the disk takes no more; what is
        journalled is safe.
        """
        has_failed_so = response.status == "failed" and self._failures.get(request.id) == response.error
        if has_failed_so or self.is_answered(request.id):
            return False
        sent = self._add_sent(request, response)
        # Half a surrogate pair, as engines leave where they cut a text, has no UTF-8.
        line = json.dumps(_line(request, response, media, by, sent), ensure_ascii=False).encode(errors="replace")
        self._append(line + b"\n")
        self._remember(request.id, response)
        return True

    def _remember(self, request_id: str, response: Response) -> None:
        """Remember a failure with its reason, and of an answer only that there is one; the last line counts."""
        if response.status == "failed":
            self._failures[request_id] = response.error
        else:
            self._failures.pop(request_id, None)
            self._answered.add(request_id)

    def _add_sent(self, request: Request, response: Response) -> Mapping[str, str]:
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
        return _entry(parse_json(line))
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
            _entry(parse_json(tail))
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


def _line(
    request: Request, response: Response, media: str, by: int | None, sent: Mapping[str, str]
) -> dict[str, object]:
    clip = request.clip
    line: dict[str, object] = {
        "id": request.id,
        "task": request.task,
        "item": request.item,
        "subject": request.subject,
        "clip": {"video_id": clip.video_id, "index": clip.index, "start_s": clip.start_s, "end_s": clip.end_s},
        "media": media,
        "status": response.status,
        "text": response.text,
    }
    optional = {
        "error": response.error,
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "choice_probabilities": response.choice_probabilities and dict(response.choice_probabilities),
        "attempts": response.attempts if response.attempts > 1 else None,
        "latency_s": None if response.latency_s is None else round(response.latency_s, 4),
        "by": by,
        "sent": sent,
    }
    # Most fields are empty on most lines.
    return line | {key: value for key, value in optional.items() if value not in (None, "", {})}


def _entry(line: dict[str, Any]) -> JournalEntry:
    if name := wrong_field(line, _REQUIRED, _OPTIONAL):
        raise ValueError(f"{name} is missing or has another form")
    fields = line["clip"]
    clip = _clip(fields["video_id"], fields["start_s"], fields["end_s"], fields["index"])
    response = Response(line["id"], **{name: line[name] for name in _OF_RESPONSE if name in line})
    return JournalEntry(
        id=line["id"],
        task=line["task"],
        item=line["item"],
        subject=line["subject"],
        clip=clip,
        media=line["media"],
        response=response,
        by=line.get("by"),
        sent=line.get("sent", {}),
    )


_REQUIRED = {
    **dict.fromkeys(("id", "task", "item", "subject", "media"), is_name),
    "text": is_text,
    "clip": record({"video_id": is_name, "start_s": is_number, "end_s": is_number, "index": is_whole}),
    "status": one_of("ok", "failed", "refused", "cut"),
}
_OPTIONAL = {
    "error": is_text,
    "prompt_tokens": maybe(is_whole),
    "completion_tokens": maybe(is_whole),
    "choice_probabilities": maybe(mapping_to(maybe(is_number))),
    "attempts": is_whole,
    "latency_s": maybe(is_number),
    "by": maybe(is_whole),
    "sent": mapping_to(is_text),
}
_OF_RESPONSE = (
    *("status", "text", "error", "prompt_tokens", "completion_tokens", "choice_probabilities"),
    *("attempts", "latency_s"),
)


@lru_cache(maxsize=1024)
def _clip(video_id: str, start_s: float, end_s: float, index: int) -> Clip:
    """Return one clip for equal fields, as many lines that stand together are about one."""
    return Clip(video_id, start_s, end_s, (), 0, index=index)
