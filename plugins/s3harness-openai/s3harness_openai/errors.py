"""What can go wrong between a request and its answer, and what is done about each kind of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import s3harness

MAX_CHARACTERS = 240
TELLING_CHARACTERS = 600
"""What is wrong is told at the beginning of a message; further on servers repeat what they were sent."""


class Trouble(Exception):
    """Something went wrong that may pass: the request is asked again."""


class Busy(Trouble):
    """The server takes no more just now (429, 503): it is left alone for a while, which costs no attempt."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unreachable(Trouble):
    """Nothing was sent, because no server is there: it is waited for, which costs no attempt."""


class Faulty(Trouble):
    """An answer failed to come, or came in pieces: this costs an attempt."""


class Slow(Faulty):
    """No answer came in time: this costs an attempt, and says that the server has too much to do."""


class Repeated(Faulty):
    """An answer came that belongs to another request."""


class Declined(Trouble):
    """The server does not take a part of the request that can be left out."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


class Forgotten(Trouble):
    """The server has no more of a clip than its id: the clip is sent again."""


class ContextOverflow(s3harness.S3HarnessError):
    """The request is longer than what the model can take; asking again would change nothing."""


class Rejected(s3harness.S3HarnessError):
    """The server will not take the request; asking again would change nothing."""


class Mistaken(Rejected):
    """The reply says that another model gave it: it is no answer of the one that was asked."""


class Unanswered(s3harness.S3HarnessError):
    """The attempts, or the patience, were used up."""


class Withheld(Exception):
    """The server declined to answer: a content filter, or the model itself."""


@dataclass(frozen=True, slots=True)
class Words:
    """Makes the words of a server fit to be journalled: short, on one line, without media and without ``secrets``."""

    secrets: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        """The text, shortened and redacted."""
        text = self.redacted(text)
        return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"

    def redacted(self, text: str) -> str:
        """The text on one line, redacted."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return " ".join(_KEYS.sub("…", _DATA.sub("…", text[:20_000])).split())


_DATA = re.compile(r"data:[\w/+.-]*;base64,[^\s\"']*|[A-Za-z0-9+/=_-]{80,}")
_KEYS = re.compile(r"\b(?:sk|pk|hf)[-_][A-Za-z0-9_\-.*]{8,}|\bBearer\s+\S{8,}")

_OVERFLOW = re.compile(
    r"context[ _](?:length|window|size)|maximum (?:model )?length|max_model_len|longer than the maximum"
    r"|too many (?:input )?tokens|(?:prompt|input)(?: is)? too long|token count exceeds|max_total_tokens",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content[ _](?:filter|policy|management)|safety system|moderation", re.IGNORECASE)
_HOPELESS = re.compile(r"insufficient_quota|billing[ _](?:hard_|hard )?limit|request too large", re.IGNORECASE)
"""What no waiting mends. Where to pay for more is told of every limit, that of a minute too."""

PARTS: Mapping[str, re.Pattern[str]] = {
    "logprobs": re.compile(r"logprob", re.IGNORECASE),
    "structured": re.compile(r"response_format|json_?schema|structured|guided|grammar|schema", re.IGNORECASE),
    "max_tokens": re.compile(r"max_completion_tokens", re.IGNORECASE),
    "temperature": re.compile(r"temperature", re.IGNORECASE),
    "seed": re.compile(r"\bseed\b", re.IGNORECASE),
}
"""What can be left out of a request, or said otherwise, by the words with which servers refuse it."""


def check_status(status: int, retry_after_s: float | None, body: bytes, words: Words, parts: Iterable[str]) -> None:
    """Raise what a reply that is not 200 means; ``parts`` are those of the request that could be left out."""
    if status == 200:
        return
    said = words.redacted(_said(body))[:TELLING_CHARACTERS]
    message = f"HTTP {status}: {words(said)}" if said else f"HTTP {status}"
    if status == 429 and not _HOPELESS.search(said):
        raise Busy(message, retry_after_s)
    if status in (502, 503, 529):
        raise Busy(message, retry_after_s)
    if status < 300 or status >= 500 or status in (408, 409, 425):
        raise Faulty(message)
    if 300 <= status < 400:
        raise Rejected(f"{message}: the server sends on to another address, which is not followed; name that one")
    if _FILTERED.search(said):
        raise Withheld(message)
    if _OVERFLOW.search(said) or status == 413:
        raise ContextOverflow(message)
    if status in (400, 422):
        for part in parts:
            if PARTS[part].search(said):
                raise Declined(part, message)
    raise Rejected(message)


def _said(body: bytes) -> str:
    """The message of an error's body, with its code; the body itself if it has none."""
    text = body[:100_000].decode("utf-8", "replace")
    try:
        found = s3harness.parse_json(text)
    except ValueError:
        return re.sub(r"<[^>]*>", " ", text)
    error = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(error, dict):
        told = [error.get(name) for name in ("message", "code", "type", "detail", "param")]
        kept = dict.fromkeys(str(one) for one in told if one not in (None, ""))
        return " · ".join(kept) or text
    return error if isinstance(error, str) else text
