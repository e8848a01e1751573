"""Responses → answers: each read by its task's parser, with the status and note of the reading."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, cast

from s3harness.errors import SpecError
from s3harness.parsers.echo import PromptText
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import declines
from s3harness.plugins.manager import blamed, load
from s3harness.rundir.journal import JournalEntry
from s3harness.specs.prompts import prompt_parts
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The parser of a spec with its parameters, guarded against echoes of the prompt.

    The parser gets the parameters of the spec; ``schema`` and ``choices`` only if it has parameters of these names.
    ``prompt`` holds the words of the prompt, ``choices`` the answers that a prompt may name without being echoed.
    """

    task: str
    name: str
    parser: Callable[..., Reading]
    params: Mapping[str, Any]
    prompt: PromptText | None = None
    choices: frozenset[str] = frozenset()

    @classmethod
    def of(cls, spec: TaskSpec, subject: str = "") -> Reader:
        """Return the reader of a subject's spec."""
        answer = spec.answer
        name = str(answer.pop("parser"))
        parser = cast("Callable[..., Reading]", load("parser", name))
        taken = _parameters(parser)
        # Schema and choices also steer the engine's decoding; a parser may do without them.
        params = {k: v for k, v in answer.items() if k in taken or k not in ("schema", "choices")}
        return cls(
            task=spec.name,
            name=name,
            parser=parser,
            params=params,
            prompt=_prompt_text(spec, subject),
            choices=_closed_answers(spec.answer),
        )

    def __call__(self, text: str) -> Reading:
        """Read a text; raise :class:`SpecError` if the parser does not take the parameters."""
        try:
            with blamed("parser", self.name):
                return self.prompt.guarded(text, self._read, self.choices) if self.prompt else self._read(text)
        # Wrong parameters of a spec show as a TypeError of the call.
        except TypeError as error:
            raise SpecError(f"{self.task}: parser {self.name!r}: {error}") from error

    def _read(self, text: str) -> Reading:
        return self.parser(text, **self.params)


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


def _prompt_text(spec: TaskSpec, subject: str) -> PromptText | None:
    """Return the words of a spec's prompt, from its template alone."""
    # Not from the prompt that was sent: scoring needs the journal and the manifest alone.
    if "prompt" not in spec.data:
        return None
    return _words_of_prompt(spec.prompt, spec.item, subject)


@lru_cache(maxsize=1024)
def _words_of_prompt(template: str, item: str, subject: str) -> PromptText | None:
    parts = prompt_parts(template, item, subject)
    return PromptText.of(parts.instructions, parts.questions, parts.whole) if parts else None


def _closed_answers(answer: Mapping[str, Any]) -> frozenset[str]:
    """Return the answers that a prompt may name without being echoed: choices, and the enums of a schema."""
    fields = ((answer.get("schema") or {}).get("properties") or {}).values()
    enums = (word for field in fields if isinstance(field, Mapping) for word in field.get("enum", ()))
    return frozenset(str(word) for word in (*answer.get("choices", ()), *enums))


@lru_cache
def _parameters(parser: Callable[..., Reading]) -> frozenset[str]:
    return frozenset(inspect.signature(parser).parameters)
