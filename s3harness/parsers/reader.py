"""The parser of a task with its parameters, guarded against echoes of the task's own prompt."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from s3harness.errors import SpecError
from s3harness.parsers.echo import PromptText
from s3harness.parsers.reading import Reading
from s3harness.plugins.manager import blamed, load
from s3harness.specs.prompts import prompt_parts
from s3harness.specs.tasks import TaskSpec


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
