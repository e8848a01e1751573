"""A server's reply as a response, or the trouble that it is. Nothing that is not whole is an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import s3harness
from s3harness_openai.errors import Faulty, Withheld, Words, check_status

BROKEN_OFF = {"", "error", "abort", "aborted", "cancelled"}
"""Reasons for having finished that say that the answer is none."""


def read_reply(body: bytes, request: s3harness.Request, words: Words) -> s3harness.Response:
    """The response in the body of a reply with status 200.

    Raises :class:`Faulty` for what is no whole answer, and :class:`Withheld` for a refusal.
    """
    data = _json(body)
    if data.get("error"):
        check_status(_code(data["error"]), None, body, words, ())
    choice = _first(data.get("choices"), "choices")
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise Faulty("the reply's choice has no message")
    reason = choice.get("finish_reason")
    if not isinstance(reason, str) or reason in BROKEN_OFF:
        raise Faulty(f"the answer was broken off (finish_reason {reason!r})")
    text, refusal = _text(message.get("content")), message.get("refusal")
    tokens = _tokens(data.get("usage"))
    if reason == "content_filter" or refusal:
        raise Withheld(words(refusal) if isinstance(refusal, str) and refusal else "the server's content filter")
    if text is None and reason == "length":
        text = ""
    if not isinstance(text, str):
        raise Faulty("the reply's message has no text")
    status: Any = "cut" if reason == "length" else "ok"
    return s3harness.Response(
        request.id,
        text,
        status,
        prompt_tokens=tokens.get("prompt_tokens"),
        completion_tokens=tokens.get("completion_tokens"),
        choice_probabilities=_probabilities(choice.get("logprobs"), request),
        identity=_identity(data),
    )


def answered_as(response: s3harness.Response) -> str:
    """The name that a reply gives its model, empty where it gives none."""
    return str((response.identity or {}).get("answered_as", ""))


def _identity(data: Mapping[str, Any]) -> Mapping[str, object]:
    """What a reply tells of who gave it."""
    told = {"answered_as": data.get("model"), "system_fingerprint": data.get("system_fingerprint")}
    return {name: value for name, value in told.items() if isinstance(value, str) and value}


def answer_id(body: bytes) -> str:
    """The id that a server gave its answer, empty if there is none."""
    try:
        told = _json(body).get("id")
    except Faulty:
        return ""
    return told if isinstance(told, str) else ""


def cached_tokens(body: bytes) -> tuple[int, int] | None:
    """How many tokens the prompt had, and how many of them the server did not read again, where it tells."""
    usage = _json(body).get("usage")
    details = usage.get("prompt_tokens_details") if isinstance(usage, Mapping) else None
    if not isinstance(usage, Mapping) or not isinstance(details, Mapping):
        return None
    whole, cached = _tokens(usage).get("prompt_tokens"), _tokens(details).get("cached_tokens")
    return None if whole is None or cached is None else (whole, cached)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        data = s3harness.parse_json(body)
    except ValueError:
        raise Faulty(f"the reply ({len(body)} bytes) is no JSON") from None
    if not isinstance(data, dict):
        raise Faulty(f"the reply is a JSON {type(data).__name__}, an object is expected")
    return data


def _code(error: object) -> int:
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _first(found: object, name: str) -> Mapping[str, Any]:
    if not isinstance(found, list) or not found or not isinstance(found[0], Mapping):
        raise Faulty(f"the reply has no {name}")
    return found[0]


def _text(content: object) -> object:
    """The text of a content, which some servers tell in parts, thoughts among them."""
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        return content
    texts = [part.get("text") for part in content if part.get("type") == "text"]
    return "".join(texts) if texts and all(isinstance(text, str) for text in texts) else content


def _tokens(usage: object) -> Mapping[str, int]:
    given = usage.items() if isinstance(usage, Mapping) else ()
    return {name: value for name, value in given if type(value) is int and value >= 0}


def _probabilities(found: object, request: s3harness.Request) -> Mapping[str, float] | None:
    closed = s3harness.closed_answer(request)
    content = found.get("content") if isinstance(found, Mapping) else None
    if closed is None or not isinstance(content, list):
        return None
    try:
        return s3harness.choice_probabilities(closed, [_token(one) for one in content])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _token(found: Mapping[str, Any]) -> s3harness.Token:
    others: Sequence[Mapping[str, Any]] = found.get("top_logprobs") or ()
    told = {str(one["token"]): float(one["logprob"]) for one in (*others, found)}
    return s3harness.Token(str(found["token"]), {k: v for k, v in told.items() if not math.isnan(v)})
