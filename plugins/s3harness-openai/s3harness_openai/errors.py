"""Errors between a request and its answer, and the error that each HTTP status and server message stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import s3harness

MAX_CHARACTERS = 240
"""The longest quotation of a server in an error, which goes into the journal."""

CLASSIFIED_CHARACTERS = 600
"""Servers say what is wrong at the beginning of a message; further on they repeat what they were sent."""


class TransientError(Exception):
    """An error that may pass: the request is sent again."""


class Busy(TransientError):
    """The server takes no more requests now (429, 503): it is left alone for a while, which costs no attempt."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreachable(TransientError):
    """Nothing was sent, because no server is there: the request waits for one, which costs no attempt."""


class ServerError(TransientError):
    """The reply failed to come or is not complete: this costs an attempt."""


class ServerTimeout(ServerError):
    """No reply came in time: this costs an attempt, and halves the requests in flight at the server."""


class UnsupportedParameter(TransientError):
    """The server does not take a parameter of the request that can be left out."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class MediaIdMissing(TransientError):
    """The server no longer has the clip of a media id: the clip is sent again."""


class Rejected(s3harness.S3HarnessError):
    """The server does not take the request; sending it again would change nothing."""


class WrongModel(Rejected):
    """The reply names another model than the one that was requested, so it is no answer of this run."""


class RetriesExhausted(s3harness.S3HarnessError):
    """The attempts, or the time to wait for a server, were used up."""


class ContentFiltered(Exception):
    """The model, or the server's content filter, refused to answer."""


# Media and keys that a server repeats would otherwise end up in the journal.
_MEDIA = re.compile(r"data:[\w/+.-]*;base64,[^\s\"']*|[A-Za-z0-9+/=_-]{80,}")
_CREDENTIALS = re.compile(r"\b(?:sk|pk|hf)[-_][A-Za-z0-9_\-.*]{8,}|\bBearer\s+\S{8,}")

_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum (?:model )?length|max_model_len|longer than the maximum"
    r"|too many (?:input )?tokens|(?:prompt|input)(?: is)? too long|token count exceeds|max_total_tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content[ _](?:filter|policy|management)|safety system|moderation", re.IGNORECASE)
# A limit per minute may also say "billing" (where to pay for more), so the word alone does not mean a used-up quota.
_QUOTA_EXHAUSTED = re.compile(r"insufficient_quota|billing[ _](?:hard_|hard )?limit|request too large", re.IGNORECASE)

OPTIONAL_PARAMETERS: Mapping[str, re.Pattern[str]] = {
    "logprobs": re.compile(r"logprob", re.IGNORECASE),
    "structured": re.compile(r"response_format|json_?schema|structured|guided|grammar|schema", re.IGNORECASE),
    "thinking_token_budget": re.compile(r"thinking_token_budget|reasoning_config", re.IGNORECASE),
    "max_tokens": re.compile(r"max_completion_tokens", re.IGNORECASE),
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "seed": re.compile(r"\bseed\b", re.IGNORECASE),
}
"""Parameters that can be left out or given under another name, with the words by which servers refuse them."""


def redactor(*keys: str) -> s3harness.Redactor:
    """Return what removes media, credentials and the run's own ``keys`` from the text of a server."""
    secrets = [key for key in keys if key]
    # Paths stay: the runner removes them from errors, and a refusal may say "and/or".
    return s3harness.Redactor(secrets, patterns=(_MEDIA, _CREDENTIALS), max_length=CLASSIFIED_CHARACTERS)


def quote(text: str, redact: s3harness.Redactor) -> str:
    """Return the redacted text of a server on one line, at most ``MAX_CHARACTERS`` long."""
    text = redact(text)
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def check_status(
    status: int, retry_after_s: float | None, body: bytes, redact: s3harness.Redactor, parameters: Iterable[str]
) -> None:
    """Raise the error that a reply with another status than 200 stands for.

    ``parameters`` are those of ``OPTIONAL_PARAMETERS`` that the request has, in the order in which to give them up.
    """
    if status == 200:
        return
    text = redact(_error_text(body))
    message = f"HTTP {status}: {quote(text, redact)}" if text else f"HTTP {status}"
    # A used-up quota also comes as 429, and no wait helps there.
    if status == 429 and not _QUOTA_EXHAUSTED.search(text):
        raise Busy(message, retry_after_s)
    if status in (502, 503, 529):
        raise Busy(message, retry_after_s)
    # 201 to 299 carry no completion; 408, 409 and 425 are the client errors that may pass.
    if status < 300 or status >= 500 or status in (408, 409, 425):
        raise ServerError(message)
    # A redirect could lead to a host that the user did not allow.
    if 300 <= status < 400:
        raise Rejected(f"{message}: the server redirects to another address, which is not followed; use that one")
    # Azure reports its content filter as a 400.
    if _FILTERED.search(text):
        raise ContentFiltered(message)
    if _TOO_LONG.search(text) or status == 413:
        raise s3harness.ContextOverflow(message)
    if status in (400, 422):
        for parameter in parameters:
            if OPTIONAL_PARAMETERS[parameter].search(text):
                raise UnsupportedParameter(parameter, message)
    raise Rejected(message)


def _error_text(body: bytes) -> str:
    """Return the message of an error's body, with its code; the body itself if it has none."""
    text = body[:100_000].decode("utf-8", "replace")
    try:
        data = s3harness.parse_json(text)
    except ValueError:
        return re.sub(r"<[^>]*>", " ", text)  # gateways answer in HTML
    # OpenAI nests the message under "error"; FastAPI's own errors have "detail" at the top, others a "message".
    error = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(error, dict):
        values = [error.get(name) for name in ("message", "code", "type", "detail", "param")]
        texts = dict.fromkeys(str(value) for value in values if value not in (None, ""))
        return " · ".join(texts) or text
    return error if isinstance(error, str) else text
