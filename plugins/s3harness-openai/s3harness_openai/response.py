"""Parse the reply of a server into a response; a reply that is not complete is an error, never an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import s3harness
from s3harness_openai.errors import ContentFiltered, ServerError, check_status, quote

BROKEN_OFF = {"", "error", "abort", "aborted", "cancelled"}
"""Finish reasons that say that the server gave up, so that the text is no answer."""


def parse_response(body: bytes, request: s3harness.Request, redact: s3harness.Redactor) -> s3harness.Response:
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
    # A thinking model that spends all its tokens on thoughts has null as content.
    if text is None and reason == "length":
        text = ""
    if not isinstance(text, str):
        raise ServerError("the reply's message has no text")
    status: Any = "cut" if reason == "length" else "ok"
    return s3harness.Response(
        request.id,
        text,
        status=status,
        prompt_tokens=tokens.get("prompt_tokens"),
        completion_tokens=tokens.get("completion_tokens"),
        choice_probabilities=_choice_probabilities(choice.get("logprobs"), request),
        identity=_identity(data),
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


def _choice_probabilities(logprobs: object, request: s3harness.Request) -> Mapping[str, float] | None:
    """Return the probability of each choice of a closed answer, from the log probabilities of its tokens."""
    closed = s3harness.closed_answer(request)
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    if closed is None or not isinstance(content, list):
        return None
    # Malformed logprobs cost the probabilities only: the answer itself is whole.
    try:
        return s3harness.choice_probabilities(closed, [_token(entry) for entry in content])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _token(entry: Mapping[str, Any]) -> s3harness.Token:
    alternatives: Sequence[Mapping[str, Any]] = entry.get("top_logprobs") or ()
    # The chosen token comes last, so that its own logprob counts where it is among the alternatives too.
    logprobs = {str(each["token"]): float(each["logprob"]) for each in (*alternatives, entry)}
    return s3harness.Token(str(entry["token"]), {k: v for k, v in logprobs.items() if not math.isnan(v)})
