"""The JSON body of a chat completion: the encoded clip, which many bodies share, and a few hundred bytes around it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import s3harness
from s3harness_openai.media_parts import EncodedClip
from s3harness_openai.options import OpenAIOptions
from s3harness_openai.transport import Body

TOP_LOGPROBS = 20
"""The most that OpenAI and vLLM (by default) return for a token."""

CLIP_PLACEHOLDER = "clip goes here"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPayload:
    """A request with its encoded clip, which can be written without the parameters that a server does not take."""

    request: s3harness.Request
    clip: EncodedClip
    model: str
    options: OpenAIOptions
    text_first: bool
    is_for_vllm: bool
    labels: str = ""

    def optional_parameters(self, without: Set[str]) -> list[str]:
        """Return the parameters of this request that a server may refuse, in the order in which to give them up."""
        present = {
            "logprobs": self.wants_logprobs(without),
            "structured": self._schema() is not None,
            "max_tokens": True,
            "temperature": True,
            "seed": self.request.generation.seed is not None,
        }
        return [
            name for name, is_present in present.items() if is_present and self.unsupported_key(name) not in without
        ]

    def unsupported_key(self, parameter: str) -> str:
        """Return the key under which to remember that a server does not take a parameter."""
        # A server may refuse the schema of one task and take that of another.
        return f"structured:{self.request.task}" if parameter == "structured" else parameter

    def text_bytes(self) -> int:
        """Return the length of the text: an upper bound of its tokens, whatever the tokenizer."""
        return len(f"{self.request.system}{self.request.prompt}".encode("utf-8", "replace"))

    def wants_logprobs(self, without: Set[str]) -> bool:
        """Tell whether log probabilities are requested, which serve closed answers alone."""
        return self.options.logprobs and "logprobs" not in without and s3harness.closed_answer(self.request) is not None

    def body(self, without: Set[str], *, by_id: bool) -> Body:
        """Return the JSON in parts; ``by_id`` sends the id of the clip in place of the clip."""
        parts = self.clip.id_parts if by_id and self.clip.id_parts is not None else self.clip.parts
        # "replace", because a prompt may hold a lone surrogate, which UTF-8 cannot encode.
        body = json.dumps(self._fields(without, has_media=bool(parts)), ensure_ascii=False).encode("utf-8", "replace")
        if not parts:
            return [body]
        # The parts are put in as they are, so that their megabytes exist once for all requests of the clip. No prompt
        # can contain the placeholder, because JSON escapes its quotes.
        before, after = body.split(json.dumps({"type": CLIP_PLACEHOLDER}).encode())
        return [before, parts, after]

    def sent(self, without: Set[str]) -> s3harness.Sent:
        """Return the record of what a server was sent: the media, and all settings that are not of one clip."""
        left_out = {"model", "messages", *self.clip.fields}
        fields = self._fields(without, has_media=bool(self.clip.parts))
        settings = {name: value for name, value in fields.items() if name not in left_out}
        if self.clip.parts:
            settings["placement"] = "text, then media" if self.text_first else "media, then text"
        if self.clip.sent.media == "frames":
            settings["labels"] = self.labels
        return replace(self.clip.sent, settings=settings)

    def _fields(self, without: Set[str], *, has_media: bool) -> Mapping[str, object]:
        request = self.request
        content: list[object] = [{"type": "text", "text": request.prompt}]
        if has_media:
            content.insert(len(content) if self.text_first else 0, {"type": CLIP_PLACEHOLDER})
        messages: list[object] = [{"role": "system", "content": request.system}] if request.system else []
        messages.append({"role": "user", "content": content})
        fields: dict[str, object] = {"model": self.model, "messages": messages}
        fields |= self._generation_fields(without) | self._answer_format(without)
        if self.wants_logprobs(without):
            fields |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        # The user's own fields come last, so that they win.
        return {**fields, **self.clip.fields, **self.options.extra}

    def _generation_fields(self, without: Set[str]) -> dict[str, object]:
        generation = self.request.generation
        # OpenAI's reasoning models refuse max_tokens and take this instead.
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        optional = {
            "temperature": None if "temperature" in without else generation.temperature,
            "top_p": generation.top_p,
            "seed": None if "seed" in without else generation.seed,
        }
        return {limit: generation.max_tokens} | {name: value for name, value in optional.items() if value is not None}

    def _schema(self) -> Mapping[str, object] | None:
        return self.request.answer_schema if self.options.structured else None

    def _answer_format(self, without: Set[str]) -> dict[str, object]:
        """Return the fields that make the server hold the answer to its schema or its choices."""
        schema = self._schema()
        if self.unsupported_key("structured") in without or not self.options.structured:
            return {}
        if schema is None:
            choices = list(self.request.choices)
            # The OpenAI protocol has no field for choices; this one is vLLM's own.
            return {"structured_outputs": {"choice": choices}} if choices and self.is_for_vllm else {}
        json_schema = {"name": "answer", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
