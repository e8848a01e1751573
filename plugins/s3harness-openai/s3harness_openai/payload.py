"""A request as the JSON that servers take: parts that exist once for a clip, and a few hundred bytes around them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import s3harness
from s3harness_openai.media_parts import Shown
from s3harness_openai.options import Options
from s3harness_openai.transport import Body

TOP_LOGPROBS = 20
HOLE = "clip goes here"


@dataclass(frozen=True, slots=True)
class Question:
    """A request and what it shows, to be written for a server that takes it ``without`` some parts."""

    request: s3harness.Request
    shown: Shown
    model: str
    options: Options
    text_first: bool
    speaks_vllm: bool
    labels: str = ""

    def parts(self, without: Set[str]) -> list[str]:
        """What of this request a server might refuse and could do without, in the order of trying."""
        there = {
            "logprobs": self.asks_logprobs(without),
            "structured": self._schema() is not None,
            "max_tokens": True,
            "temperature": True,
            "seed": self.request.generation.seed is not None,
        }
        return [part for part, is_there in there.items() if is_there and self.named(part) not in without]

    def named(self, part: str) -> str:
        """How a server's not taking a part is remembered: by the task where it is its schema that is not taken."""
        return f"structured:{self.request.task}" if part == "structured" else part

    def text_bytes(self) -> int:
        """How long the text is: no tokenizer makes more tokens of it than this."""
        return len(f"{self.request.system}{self.request.prompt}".encode("utf-8", "replace"))

    def asks_logprobs(self, without: Set[str]) -> bool:
        """Whether the probabilities of closed answers are asked for."""
        return self.options.logprobs and "logprobs" not in without and s3harness.closed_answer(self.request) is not None

    def body(self, without: Set[str], *, by_id: bool) -> Body:
        """The JSON in parts; ``by_id`` shows the clip by its id alone."""
        parts = self.shown.by_id if by_id and self.shown.by_id is not None else self.shown.parts
        written = json.dumps(self._fields(without, shows=bool(parts)), ensure_ascii=False).encode("utf-8", "replace")
        if not parts:
            return [written]
        before, after = written.split(json.dumps({"type": HOLE}).encode())
        return [before, parts, after]

    def sent(self, without: Set[str]) -> s3harness.Sent:
        """What a server was sent: the media, and every field of the request that is not a message or of one clip."""
        left_out = {"model", "messages", *self.shown.fields}
        fields = self._fields(without, shows=bool(self.shown.parts))
        settings = {name: value for name, value in fields.items() if name not in left_out}
        if self.shown.parts:
            settings["placement"] = "text, then media" if self.text_first else "media, then text"
        if self.shown.sent.media == "frames":
            settings["labels"] = self.labels
        return replace(self.shown.sent, settings=settings)

    def _fields(self, without: Set[str], *, shows: bool) -> Mapping[str, object]:
        request = self.request
        content: list[object] = [{"type": "text", "text": request.prompt}]
        if shows:
            content.insert(len(content) if self.text_first else 0, {"type": HOLE})
        messages: list[object] = [{"role": "system", "content": request.system}] if request.system else []
        messages.append({"role": "user", "content": content})
        fields: dict[str, object] = {"model": self.model, "messages": messages}
        fields |= self._generation(without) | self._answer(without)
        if self.asks_logprobs(without):
            fields |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return {**fields, **self.shown.fields, **self.options.extra}

    def _generation(self, without: Set[str]) -> dict[str, object]:
        generation = self.request.generation
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        given = {
            "temperature": None if "temperature" in without else generation.temperature,
            "top_p": generation.top_p,
            "seed": None if "seed" in without else generation.seed,
        }
        return {limit: generation.max_tokens} | {name: value for name, value in given.items() if value is not None}

    def _schema(self) -> Mapping[str, object] | None:
        return self.request.answer_schema if self.options.structured else None

    def _answer(self, without: Set[str]) -> dict[str, object]:
        """What holds the server to the form of the answer."""
        schema = self._schema()
        if self.named("structured") in without or not self.options.structured:
            return {}
        if schema is None:
            choices = list(self.request.choices)
            return {"structured_outputs": {"choice": choices}} if choices and self.speaks_vllm else {}
        wanted = {"name": "answer", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": wanted}}
