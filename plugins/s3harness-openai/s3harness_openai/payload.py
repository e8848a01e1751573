"""The JSON body of a chat completion: the encoded clip, which many bodies share, and a few hundred bytes around it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import s3harness
from s3harness_openai.client import Body
from s3harness_openai.engines import Engine
from s3harness_openai.media_parts import EncodedClip
from s3harness_openai.options import OpenAIOptions

TOP_LOGPROBS = 20
"""The most that OpenAI and vLLM (by default) return for a token."""

CLIP_PLACEHOLDER = "clip goes here"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPayload:
    """A request with its encoded clip, which can be written without the parameters that a server does not take.

    ``earlier`` are the encoded clips of its history.
    """

    request: s3harness.Request
    clip: EncodedClip
    earlier: Sequence[EncodedClip] = ()
    model: str
    options: OpenAIOptions
    text_first: bool
    engine: Engine
    marks: s3harness.Thinking
    labels: str = ""

    def optional_parameters(self, without: Set[str]) -> list[str]:
        """Return the parameters of this request that a server may refuse, in the order in which to give them up."""
        present = {
            "logprobs": self.wants_logprobs(without),
            "structured": self._schema() is not None,
            "thinking_token_budget": bool(self.engine.thinking_budget and self.request.generation.thinking_tokens),
            "max_tokens": True,
            "temperature": self.request.generation.temperature is not None,
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

    @property
    def takes_ids(self) -> bool:
        """Return whether the clip may be sent by its id; the length of a conversation would not show its loss."""
        return self.clip.id_parts is not None and not self.request.history

    def wants_logprobs(self, without: Set[str]) -> bool:
        """Tell whether log probabilities are requested, which serve closed answers alone."""
        return self.options.logprobs and "logprobs" not in without and s3harness.closed_answer(self.request) is not None

    def headers(self, rank: int | None) -> Mapping[str, str]:
        """Return the headers that lead to a replica of a server."""
        return {self.engine.rank_header: str(rank)} if rank is not None and self.engine.rank_header else {}

    def body(self, without: Set[str], *, by_id: bool, rank: int | None = None) -> Body:
        """Return the JSON in parts; ``by_id`` sends the id of the clip in place of the clip.

        ``rank`` is the replica of the server to which the request is to go.
        """
        parts = self.clip.id_parts if by_id and self.clip.id_parts is not None else self.clip.parts
        # "replace", because a prompt may hold a lone surrogate, which UTF-8 cannot encode.
        to_replica = {self.engine.rank_field: rank} if rank is not None and self.engine.rank_field else {}
        fields = {**self._fields(without, has_media=bool(parts)), **to_replica}
        body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
        # The parts are put in as they are, so that their megabytes exist once for all requests of the clip. No prompt
        # can contain the placeholder, because JSON escapes its quotes.
        first, *others = body.split(json.dumps({"type": CLIP_PLACEHOLDER}).encode())
        shown = [clip.parts for clip in self.earlier if clip.parts] + ([parts] if parts else [])
        return [first, *(piece for pair in zip(shown, others, strict=True) for piece in pair)]

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
        messages: list[object] = [{"role": "system", "content": request.system}] if request.system else []
        for exchange, clip in zip(request.history, self.earlier, strict=True):
            messages += [*self._user_message(exchange.prompt, bool(clip.parts)), *_reply_messages(exchange)]
        messages += self._user_message(request.prompt, has_media)
        fields: dict[str, object] = {"model": self.model, "messages": messages}
        fields |= {"tools": list(request.tools)} if request.tools else {}
        fields |= self._generation_fields(without) | self._answer_format(without)
        if self.wants_logprobs(without):
            fields |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        # The user's own fields come last, so that they win.
        return {**fields, **self.clip.fields, **self.options.extra}

    def _user_message(self, prompt: str, has_media: bool) -> list[object]:
        """Return the message with a prompt and the place of its clip; none where a turn has neither."""
        content: list[object] = [{"type": "text", "text": prompt}] if prompt else []
        if has_media:
            content.insert(len(content) if self.text_first else 0, {"type": CLIP_PLACEHOLDER})
        return [{"role": "user", "content": content}] if content else []

    def _generation_fields(self, without: Set[str]) -> dict[str, object]:
        generation = self.request.generation
        # OpenAI's reasoning models refuse max_tokens and take this instead.
        limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        optional = {
            "temperature": None if "temperature" in without else generation.temperature,
            "top_p": generation.top_p,
            "seed": None if "seed" in without else generation.seed,
            # Fields of vLLM, SGLang and LMDeploy; a server that lacks one refuses the request, and says so.
            "top_k": generation.top_k,
            "repetition_penalty": generation.repetition_penalty,
            "chat_template_kwargs": dict(generation.chat_template_kwargs) or None,
        }
        if (name := self.engine.thinking_budget) and name not in without:
            optional[name] = generation.thinking_tokens or None
        return {limit: generation.token_limit} | {name: value for name, value in optional.items() if value is not None}

    def _schema(self) -> Mapping[str, object] | None:
        # Held to the schema of the answer, a model could call no tool.
        return self.request.answer_schema if self.options.structured and not self.request.tools else None

    def _answer_format(self, without: Set[str]) -> dict[str, object]:
        """Return the fields that make the server hold the answer to its schema or its choices."""
        schema = self._schema()
        if self.unsupported_key("structured") in without or not self.options.structured or self.request.tools:
            return {}
        if schema is None:
            return dict(self.engine.choices(self.request.choices)) if self.request.choices else {}
        json_schema = {"name": "answer", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": json_schema}}


def _reply_messages(exchange: s3harness.Exchange) -> list[object]:
    """Return the messages of a reply and of the results of the tools that it called."""
    reply: dict[str, object] = {"role": "assistant", "content": exchange.text}
    if not exchange.tool_calls:
        return [reply]
    reply["tool_calls"] = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in exchange.tool_calls
    ]
    results = zip(exchange.tool_calls, exchange.results, strict=True)
    return [reply, *({"role": "tool", "tool_call_id": call.id, "content": result} for call, result in results)]
