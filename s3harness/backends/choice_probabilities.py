"""Closed answers, and how likely an engine found each of them.

An engine that tells, for each token it wrote, which others it might have written, thereby tells how likely it found
"yes" and "no" where it wrote one of them. That place may be in the middle of a JSON object.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from s3harness.types import Request


@dataclass(frozen=True, slots=True)
class ClosedAnswer:
    """The answers that a request may be given; ``field`` of a JSON object has them, the whole text if it is empty."""

    choices: tuple[str, ...]
    field: str = ""

    def start(self, text: str) -> int | None:
        """Where in a text the answer begins; ``None`` if nowhere."""
        before = rf'"{re.escape(self.field)}"\s*:\s*"' if self.field else r"\s*[\"'`*]*"
        found = re.search(before, text) if self.field else re.match(before, text)
        return found.end() if found and found.end() < len(text) else None


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was written, and the log probabilities of those that might have stood there, itself included."""

    text: str
    alternatives: Mapping[str, float]


def closed_answer(request: Request) -> ClosedAnswer | None:
    """What a request may be answered: its choices, or the first field of its schema that is an enumeration of words."""
    if request.choices:
        return ClosedAnswer(tuple(request.choices))
    properties = (request.answer_schema or {}).get("properties")
    for name, field in (properties if isinstance(properties, Mapping) else {}).items():
        words = field.get("enum") if isinstance(field, Mapping) else None
        if words and all(isinstance(word, str) for word in words):
            return ClosedAnswer(tuple(cast("Sequence[str]", words)), str(name))
    return None


def choice_probabilities(answer: ClosedAnswer, tokens: Sequence[Token]) -> dict[str, float] | None:
    """Each answer's probability (0–1) at the token where the answer begins; together they come to 1 at most.

    A token counts for the one answer that it begins or is; one that might become several counts for none. ``None``
    where the text has no answer, or the tokens do not tell which answers they are.
    """
    start = answer.start("".join(token.text for token in tokens))
    if start is None:
        return None
    position = 0
    for token in tokens:
        if position <= start < position + len(token.text):
            return _shares(answer.choices, token, token.text[: start - position])
        position += len(token.text)
    return None


def _shares(choices: Sequence[str], token: Token, before: str) -> dict[str, float] | None:
    """``before`` is what the token holds before the answer; alternatives may hold other white space there."""
    shares = dict.fromkeys(choices, 0.0)
    for text, log_probability in token.alternatives.items():
        meant = _meant(choices, text, before.strip())
        if meant is not None and not math.isnan(log_probability):
            shares[meant] += math.exp(min(log_probability, 0.0))
    total = sum(shares.values())
    return {choice: share / max(total, 1.0) for choice, share in shares.items()} if total > 0 else None


def _meant(choices: Sequence[str], text: str, before: str) -> str | None:
    text = text.strip()
    if not text.startswith(before):
        return None
    word = text[len(before) :].strip(" \t\n\"'`*.,}").lower()
    exact = [choice for choice in choices if choice.lower() == word]
    begun = exact or [choice for choice in choices if word and choice.lower().startswith(word)]
    return begun[0] if len(begun) == 1 else None
