"""Probabilities of closed answers from the log probabilities of tokens.

An engine that returns the alternatives of each token thereby gives the probabilities of "yes" and "no" at the token
where the answer begins, which may be in the middle of a JSON object.
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
    """The possible answers to a request: values of ``field`` of a JSON object, or the whole text if it is empty."""

    choices: tuple[str, ...]
    field: str = ""

    def start(self, text: str) -> int | None:
        """Return the index in a text at which the answer begins; ``None`` if it has none."""
        # Without a field the whole text is the answer, which models put in quotes or in bold.
        before = rf'"{re.escape(self.field)}"\s*:\s*"' if self.field else r"\s*[\"'`*]*"
        match = re.search(before, text) if self.field else re.match(before, text)
        return match.end() if match and match.end() < len(text) else None


@dataclass(frozen=True, slots=True)
class Token:
    """A generated token, and the log probabilities (natural) of its alternatives, itself included."""

    text: str
    alternatives: Mapping[str, float]


def closed_answer(request: Request) -> ClosedAnswer | None:
    """Return the possible answers: the request's choices, or the first field of its schema that enumerates words."""
    if request.choices:
        return ClosedAnswer(tuple(request.choices))
    properties = (request.answer_schema or {}).get("properties")
    for name, field in (properties if isinstance(properties, Mapping) else {}).items():
        words = field.get("enum") if isinstance(field, Mapping) else None
        if words and all(isinstance(word, str) for word in words):
            return ClosedAnswer(tuple(cast("Sequence[str]", words)), str(name))
    return None


def choice_probabilities(answer: ClosedAnswer, tokens: Sequence[Token]) -> dict[str, float] | None:
    """Return the probability (0–1) of each answer at the token where the answer begins; their sum is at most 1.

    A token counts for the answer that it is or begins; a token that begins several counts for none. ``None`` if the
    text has no answer, or no token can be assigned.
    """
    start = answer.start("".join(token.text for token in tokens))
    if start is None:
        return None
    position = 0
    for token in tokens:
        # Tokenizers join the opening quote and the first letters of the answer in one token.
        if position <= start < position + len(token.text):
            return _shares(answer.choices, token, token.text[: start - position])
        position += len(token.text)
    return None


def _shares(choices: Sequence[str], token: Token, before: str) -> dict[str, float] | None:
    """Sum the probabilities by choice; ``before`` is the text of the token before the answer begins."""
    shares = dict.fromkeys(choices, 0.0)
    for text, log_probability in token.alternatives.items():
        choice = _matching_choice(choices, text, before.strip())
        # A NaN would spread over the shares of all choices.
        if choice is not None and not math.isnan(log_probability):
            shares[choice] += math.exp(min(log_probability, 0.0))
    # Rounded log probabilities may add up to a little more than 1.
    total = sum(shares.values())
    return {choice: share / max(total, 1.0) for choice, share in shares.items()} if total > 0 else None


def _matching_choice(choices: Sequence[str], text: str, before: str) -> str | None:
    text = text.strip()
    if not text.startswith(before):
        return None
    word = text[len(before) :].strip(" \t\n\"'`*.,}").lower()
    # An exact match goes first: the token "no" is also the beginning of "none".
    exact = [choice for choice in choices if choice.lower() == word]
    begun = exact or [choice for choice in choices if word and choice.lower().startswith(word)]
    return begun[0] if len(begun) == 1 else None
