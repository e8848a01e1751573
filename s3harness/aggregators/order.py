"""Aggregators of sequences: one list of events for a video, from those of its windows."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate
from s3harness.types import Answer


def overlap_merge(answers: Sequence[Answer]) -> Aggregate:
    """Join the windows' lists in order; the longest end of the joined list that begins the next list counts once.

    As in the authors' release: repeats elsewhere stay, and so do words outside the vocabulary.
    """
    merged: list[str] = []
    for answer in answers:
        merged += _tokens(answer)[_overlap(merged, _tokens(answer)) :]
    return Aggregate(merged, f"{len(answers)} windows joined where they overlap")


def first_mention(answers: Sequence[Answer]) -> Aggregate:
    """Return every event once, in the order in which the windows, and the lists within them, first name it."""
    tokens = [token for answer in answers for token in _tokens(answer)]
    return Aggregate(list(dict.fromkeys(tokens)), f"first mentions over {len(answers)} windows")


def _tokens(answer: Answer) -> list[str]:
    return [str(token) for token in answer.value] if isinstance(answer.value, (list, tuple)) else []


def _overlap(before: list[str], after: list[str]) -> int:
    """Number of tokens at the end of ``before`` that are the beginning of ``after``."""
    longest = min(len(before), len(after))
    # The longest first: "a b a" before "a b a c" overlaps in three tokens, not in one.
    return next((n for n in range(longest, 0, -1) if before[-n:] == after[:n]), 0)
