"""Reasoning of thinking models, split from the answer that comes after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from s3harness.backends.choice_probabilities import Token
from s3harness.specs.geometry import Thinking
from s3harness.specs.models import ModelCard


class SplitReply(NamedTuple):
    """A reply in two parts; ``is_cut`` tells that the reasoning did not end, so that there is no answer."""

    reasoning: str
    answer: str
    is_cut: bool


def reasoning_marks(model: ModelCard) -> Thinking:
    """Return the marks around a model's reasoning: those of its card, else the usual ``<think>`` and ``</think>``."""
    return model.thinking or Thinking(by_default=False)


def begins_in_reasoning(prompt: str, marks: Thinking) -> bool:
    """Return true for a prompt that ends within reasoning, because its chat template opens it for the model."""
    return prompt.rfind(marks.start) > prompt.rfind(marks.end)


def split_reasoning(text: str, marks: Thinking, *, is_begun: bool = False) -> SplitReply:
    """Split a reply at the end of its reasoning; ``is_begun`` tells that the prompt ended within reasoning.

    A mark in the middle of an answer is part of the answer.
    """
    stripped = text.lstrip()
    is_marked = stripped.startswith(marks.start)
    before, end, after = (stripped.removeprefix(marks.start) if is_marked else text).partition(marks.end)
    # Where the template opens the reasoning, its end alone is in the reply.
    if not end and not (is_begun or is_marked):
        return SplitReply("", text, is_cut=False)
    if marks.start in before:
        return SplitReply("", text, is_cut=False)
    return SplitReply(before.strip(), after.lstrip(), is_cut=not end)


def answer_tokens(tokens: Sequence[Token], marks: Thinking) -> Sequence[Token]:
    """Return the tokens after the end of the reasoning; all of them where there is none."""
    end = next((place for place, token in enumerate(tokens) if token.text.strip() == marks.end), None)
    return tokens if end is None else tokens[end + 1 :]
