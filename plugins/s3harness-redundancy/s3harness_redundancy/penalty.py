"""The penalty of the Seizure-RQI for a report that repeats itself.

Models that get a video in windows write a report for each window, and the joined report then has one head turn five
times. Nobody can read that, and the penalty for length does not see it: a short report may be all repetition.
"""

from __future__ import annotations

from collections.abc import Sequence

import s3harness
from s3harness_redundancy.statements import Statement, find_repetitions, split_statements

MIN_MULTIPLIER = 0.5
"""The multiplier for a report that is all repetition."""
MAX_QUOTES = 10
"""Repeated statements that are quoted; the rest are counted."""
MAX_QUOTE_LENGTH = 120


def redundancy(context: s3harness.PenaltyContext) -> s3harness.Penalty:
    """× (1 − r / 2), where r in 0–1 is the share of the report's words that only repeat an earlier statement of it.

    :func:`~s3harness_redundancy.statements.find_repetitions` defines repetition. A report with the structure of the
    expert's loses nothing, whatever that repeats, and neither does a structure without its text.
    """
    statements = split_statements(context.text)
    repetitions = find_repetitions(statements)
    # The expert's own report is worth 100 by definition of the score.
    if not repetitions or context.prediction == context.truth.structure:
        return s3harness.Penalty(1.0)
    n_words = sum(len(statement.words) for statement in statements)
    share = sum(len(later.words) for later, _ in repetitions) / n_words
    return s3harness.Penalty(1.0 - (1.0 - MIN_MULTIPLIER) * share, _evidence(repetitions, share))


def _evidence(repetitions: Sequence[tuple[Statement, Statement]], share: float) -> tuple[str, ...]:
    quotes = [f"“{_short(later.text)}” repeats “{_short(earlier.text)}”" for later, earlier in repetitions[:MAX_QUOTES]]
    more = [f"and {len(repetitions) - MAX_QUOTES} more"] if len(repetitions) > MAX_QUOTES else []
    return (f"{share:.0%} of the words repeat what was said", *quotes, *more)


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTE_LENGTH else f"{text[:MAX_QUOTE_LENGTH]}…"
