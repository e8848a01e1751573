"""Replay of recorded answers: the journal of a run, or a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.backends.base import Backend
from s3harness.errors import S3HarnessError, UsageError
from s3harness.types import Request, Response

if TYPE_CHECKING:
    from s3harness.media import MediaStore
    from s3harness.specs.models import ModelCard

Key = tuple[str, int]


class RecordedBackend(Backend):
    """Answer from ``-o path=FILE``: a ``responses.jsonl``, or a CSV table.

    A table has the columns ``item`` (suite/task/video/subject) and ``text``, and ``window`` (from 0) where an item is
    asked about several windows. A request without a recorded answer fails, as a recorded failure does.
    """

    modalities = ("video", "audio")
    uses_media = False

    def __init__(self, model: ModelCard, options: Mapping[str, object], media: MediaStore) -> None:
        super().__init__(model, options, media)
        if set(options) != {"path"}:
            raise UsageError("the recorded backend takes one option, -o path=FILE, a responses.jsonl or a CSV table")
        path = Path(str(options["path"]))
        if not path.is_file():
            raise UsageError(f"{path}: no such file; name the recorded answers with -o path=FILE")
        # Read in the constructor, so that a broken file is reported before the run begins.
        read = _read_journal if path.suffix == ".jsonl" else _read_table
        try:
            self._answers = dict(read(path))
        except (OSError, ValueError, S3HarnessError, csv.Error) as error:
            raise UsageError(f"{path}: the recorded answers cannot be read: {error}") from error

    async def generate(self, request: Request) -> Response:
        """Return the recorded answer of the request's item and window."""
        recorded = self._answers.get((request.item, request.clip.index))
        if recorded is None:
            raise S3HarnessError("no answer to this request is recorded")
        if recorded.status == "failed":
            # Raised, so that the runner journals a failure as it did in the recorded run.
            raise S3HarnessError(f"recorded failure: {recorded.error}")
        return Response(
            request.id,
            recorded.text,
            status=recorded.status,
            prompt_tokens=recorded.prompt_tokens,
            completion_tokens=recorded.completion_tokens,
            choice_probabilities=recorded.choice_probabilities,
            reasoning=recorded.reasoning,
        )


def _read_journal(path: Path) -> Iterator[tuple[Key, Response]]:
    from s3harness.rundir.journal import read_journal

    for entry in read_journal(path):
        # Of a conversation the answer alone: its turns were put to another plan than this one.
        if not entry.parent:
            yield (entry.item, entry.clip.index), entry.response


def _read_table(path: Path) -> Iterator[tuple[Key, Response]]:
    # Excel writes a byte-order mark, which would become part of the first column's name.
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in ("item", "text") if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"no column {', '.join(missing)}; a table has item and text, and window where needed")
        for row in rows:
            yield (row["item"], int(row.get("window") or 0)), Response("", row["text"] or "")
