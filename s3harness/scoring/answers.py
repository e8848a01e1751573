"""Responses → answers: each read by its task's parser, with the status and note of the reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from s3harness.parsers.reader import Reader
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import declines
from s3harness.rundir.journal_line import JournalEntry
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Answer, Response

POSITIVE = "yes"


def read_answers(entries: Iterable[JournalEntry], tasks: Mapping[str, TaskSpec]) -> dict[str, Answer]:
    """Return request id → answer; the last journal line of a request counts, lines of other tasks are skipped."""
    return Readers(tasks).read(entries)


def read_answer(entry: JournalEntry, spec: TaskSpec) -> Answer:
    """Return the answer in one response; a response that failed, was refused or cut short has no value."""
    return _answer(entry, Reader.of(spec, entry.subject))


def parse(text: str, spec: TaskSpec, subject: str = "") -> Reading:
    """Read a text by the parser of a spec; an echo of the prompt for ``subject`` is unparsable."""
    return Reader.of(spec, subject)(text)


class Readers:
    """Readers of some tasks, one for each subject, made on first use."""

    def __init__(self, tasks: Mapping[str, TaskSpec]) -> None:
        self._tasks = tasks
        self._of = cache(lambda task, subject: Reader.of(tasks[task].for_subject(subject), subject))

    def read(self, entries: Iterable[JournalEntry]) -> dict[str, Answer]:
        """Return request id → answer, as :func:`read_answers` does."""
        # A dictionary keeps the last of several lines of a request, which is that of the latest attempt.
        return {e.id: _answer(e, self._of(e.task, e.subject)) for e in entries if e.task in self._tasks}


def _answer(entry: JournalEntry, reader: Reader) -> Answer:
    response = entry.response
    # Not parsed, even where a text that was cut begins with a readable answer: the model had not finished.
    if response.status != "ok":
        return Answer(entry.id, None, status=response.status, note=response.error, clip=entry.clip)
    reading = reader(response.text)
    if reading.status == "unparsable":
        # Parsed first: an answer that also holds an excuse is an answer.
        status = "refused" if declines(response.text) else "unparsable"
        return Answer(entry.id, None, status=cast("Any", status), note=reading.note, clip=entry.clip)
    return Answer(
        entry.id,
        reading.value,
        status=reading.status,
        note=reading.note,
        clip=entry.clip,
        probability=_probability(response),
    )


def _probability(response: Response) -> float | None:
    """Return the probability of "yes" among the closed answers; ``None`` without probabilities from the engine."""
    shares = response.choice_probabilities
    if not shares or POSITIVE not in shares:
        return None
    # The shares of the choices leave out what the engine gave to other tokens.
    total = sum(shares.values())
    return shares[POSITIVE] / total if math.isfinite(total) and total > 0 else None
