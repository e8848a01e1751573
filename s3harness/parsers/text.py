"""The part of a reply that is the answer: without thinking, code fences and a tail nobody reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_CHARS = 200_000
"""Characters of an answer that are read. No answer the tasks ask for comes near it; a runaway generation does."""

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_FENCE = re.compile(r"```(?:[A-Za-z0-9_+-]*[ \t]*\n|[Jj][Ss][Oo][Nn]\b)?")
_ANSWER_TAG = re.compile(r"</?answer>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The answer's text, stripped, and what was removed to get it."""

    text: str
    notes: tuple[str, ...] = ()


def answer_text(reply: str) -> AnswerText:
    """Remove thinking, ``<answer>`` tags and fence marks, then cut to :data:`MAX_CHARS`. Takes linear time."""
    notes = []
    text = without_thinking(reply)
    if text != reply:
        notes.append("thinking removed")
    if len(text) > MAX_CHARS:
        notes.append(f"only the first {MAX_CHARS} of {len(text)} characters were read")
        text = text[:MAX_CHARS]
    bare = _ANSWER_TAG.sub("", _FENCE.sub("", text))
    if bare != text:
        notes.append("code fence or answer tag removed")
    return AnswerText(bare.strip(), tuple(notes))


def without_thinking(reply: str) -> str:
    """The reply without its ``<think>`` blocks.

    A block that never closes takes the rest with it, since no answer was reached; a closing tag without an opening one
    (chat templates that open the block in the prompt) takes all that is before it.
    """
    return _THOUGHT.sub("", reply).rpartition("</think>")[2]
