"""Parse the reply of a server into a response; a reply that is not complete is an error, never an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import s3harness
from s3harness_openai.errors import ContentFiltered, Rejected, ServerError, check_status, quote

USUAL_MARKS = s3harness.Thinking(by_default=False)

BROKEN_OFF = {"", "error", "abort", "aborted", "cancelled"}
"""Finish reasons that say that the server gave up, so that the text is no answer."""


def parse_response(
    body: bytes,
    request: s3harness.Request,
    redact: s3harness.Redactor,
    marks: s3harness.Thinking = USUAL_MARKS,
) -> s3harness.Response:
    """Return the response in the body of a reply with status 200.

    Raises :class:`ServerError` for an incomplete answer, and :class:`ContentFiltered` for a refusal.
    """
    data = _parse_object(body)
    # Some proxies answer 200 and put the error of the server behind them into the body.
    if data.get("error"):
        check_status(_error_status(data["error"]), None, body, redact, ())
    choice = _first(data.get("choices"), "choices")
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise ServerError("the reply's choice has no message")
    reason = choice.get("finish_reason")
    # Without a finish reason the text may end anywhere: a cut answer must not be scored as a whole one.
    if not isinstance(reason, str) or reason in BROKEN_OFF:
        raise ServerError(f"the answer was broken off (finish_reason {reason!r})")
    text, refusal = _text(message.get("content")), message.get("refusal")
    tokens = _token_counts(data.get("usage"))
    if reason == "content_filter" or refusal:
        words = quote(refusal, redact) if isinstance(refusal, str) and refusal else "the server's content filter"
        raise ContentFiltered(words)
    if text is None and message.get("tool_calls") and not (request.tools or request.history):
        raise Rejected("the model called a tool instead of answering; start the server without tool calls")
    thoughts, calls = _reasoning(message), _tool_calls(message.get("tool_calls"))
    # A thinking model that spends all its tokens on thoughts has null as content, and so has one that calls a tool.
    if text is None and (reason == "length" or thoughts or calls):
        text = ""
    if not isinstance(text, str):
        raise ServerError("the reply's message has no text")
    # A server without a parser of its own leaves the reasoning in the text.
    reply = s3harness.split_reasoning(text, marks)
    is_cut = reason == "length" or reply.is_cut or bool(thoughts and not reply.answer and not calls)
    status: Any = "cut" if is_cut else "ok"
    return s3harness.Response(
        request.id,
        reply.answer,
        status=status,
        prompt_tokens=tokens.get("prompt_tokens"),
        completion_tokens=tokens.get("completion_tokens"),
        choice_probabilities=_choice_probabilities(choice.get("logprobs"), request, marks),
        identity=_identity(data),
        reasoning=thoughts or reply.reasoning,
        tool_calls=calls,
    )


def model_name(response: s3harness.Response) -> str:
    """Return the name that a reply gives its model, empty where it gives none."""
    return str((response.identity or {}).get("answered_as", ""))


def count_cached_tokens(body: bytes) -> tuple[int, int] | None:
    """Return the tokens of the prompt and those of them from the prefix cache; ``None`` where a reply lacks them."""
    usage = _parse_object(body).get("usage")
    details = usage.get("prompt_tokens_details") if isinstance(usage, Mapping) else None
    if not isinstance(usage, Mapping) or not isinstance(details, Mapping):
        return None
    total, cached = _token_counts(usage).get("prompt_tokens"), _token_counts(details).get("cached_tokens")
    return None if total is None or cached is None else (total, cached)


def _identity(data: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the model and the fingerprint that a reply names, for the manifest."""
    names = {"answered_as": data.get("model"), "system_fingerprint": data.get("system_fingerprint")}
    return {name: value for name, value in names.items() if isinstance(value, str) and value}


def _parse_object(body: bytes) -> Mapping[str, Any]:
    try:
        data = s3harness.parse_json(body)
    except ValueError:
        raise ServerError(f"the reply ({len(body)} bytes) is no JSON") from None
    if not isinstance(data, dict):
        raise ServerError(f"the reply is a JSON {type(data).__name__}, an object is expected")
    return data


def _error_status(error: object) -> int:
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _first(entries: object, name: str) -> Mapping[str, Any]:
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], Mapping):
        raise ServerError(f"the reply has no {name}")
    return entries[0]


def _reasoning(message: Mapping[str, Any]) -> str:
    """Return the reasoning that a server has taken out of the text.

    It is in the field ``reasoning`` (vLLM since 0.12, Ollama) or ``reasoning_content`` (SGLang, LMDeploy, older vLLM),
    or a part of the content (Mistral).
    """
    content = message.get("content")
    parts = [part.get("thinking") for part in content if isinstance(part, Mapping)] if isinstance(content, list) else []
    fields = (message.get("reasoning"), message.get("reasoning_content"), *parts)
    return next((field.strip() for field in fields if isinstance(field, str) and field.strip()), "")


def _tool_calls(calls: object) -> tuple[s3harness.ToolCall, ...]:
    """Return the calls of tools in a message; raise :class:`ServerError` where they have not the protocol's form."""
    entries = calls if isinstance(calls, list) else []
    return tuple(_tool_call(entry) for entry in entries)


def _tool_call(entry: object) -> s3harness.ToolCall:
    function = entry.get("function") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(function, Mapping):
        raise ServerError("the reply has a call of a tool without a function")
    # The arguments are the model's, who may write anything; name and id are the server's.
    fields = entry.get("id"), function.get("name"), function.get("arguments") or ""
    if not all(isinstance(field, str) for field in fields):
        raise ServerError("the reply has a call of a tool whose id, name or arguments are no texts")
    return s3harness.ToolCall(*map(str, fields))


def _text(content: object) -> object:
    """Return the text of a content, which some servers split into parts, with thoughts among them."""
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        return content
    texts = [part.get("text") for part in content if part.get("type") == "text"]
    return "".join(texts) if texts and all(isinstance(text, str) for text in texts) else content


def _token_counts(usage: object) -> Mapping[str, int]:
    entries = usage.items() if isinstance(usage, Mapping) else ()
    # type() and not isinstance(), because True is an int.
    return {name: value for name, value in entries if type(value) is int and value >= 0}


def _choice_probabilities(
    logprobs: object, request: s3harness.Request, marks: s3harness.Thinking
) -> Mapping[str, float] | None:
    """Return the probability of each choice of a closed answer, from the log probabilities of its tokens."""
    closed = s3harness.closed_answer(request)
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if closed is None or not isinstance(content, list):
        return None
    # A server's own reasoning parser leaves the tokens of the reasoning among the logprobs.
    # Malformed logprobs cost the probabilities only: the answer itself is whole.
    try:
        return s3harness.choice_probabilities(
            closed, s3harness.answer_tokens([_token(entry) for entry in content], marks)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _token(entry: Mapping[str, Any]) -> s3harness.Token:
    alternatives: Sequence[Mapping[str, Any]] = entry.get("top_logprobs") or ()
    # The chosen token comes last, so that its own logprob counts where it is among the alternatives too.
    logprobs = {str(each["token"]): float(each["logprob"]) for each in (*alternatives, entry)}
    return s3harness.Token(str(entry["token"]), {k: v for k, v in logprobs.items() if not math.isnan(v)})
