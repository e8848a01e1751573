"""What a report loses for saying the same thing again.

Models that look at a video in windows write a report for each, and the whole then tells of one head turn five times.
Nobody can read that, and the penalty for length does not see it: a short report may consist of repetition.
"""

from __future__ import annotations

from collections.abc import Sequence

import s3harness
from s3harness_redundancy.statements import Statement, repeats, statements

WORST = 0.5
"""What is left of the score of a report that is all repetition."""
QUOTED = 10
"""So many repeated statements are quoted; the rest are counted."""
LONGEST_QUOTE = 120


def redundancy(context: s3harness.PenaltyContext) -> s3harness.Penalty:
    """× (1 − r / 2), where r in 0–1 is the share of the report's words that only repeat an earlier statement of it.

    Which statements repeat each other :func:`~s3harness_redundancy.statements.repeats` says. A report that reads as the
    expert's does loses nothing, whatever that repeats, and neither does a structure without its text.
    """
    told = statements(context.text)
    again = repeats(told)
    if not again or context.prediction == context.truth.structure:
        return s3harness.Penalty(1.0)
    share = sum(len(later.words) for later, _ in again) / sum(len(statement.words) for statement in told)
    return s3harness.Penalty(1.0 - (1.0 - WORST) * share, _evidence(again, share))


def _evidence(again: Sequence[tuple[Statement, Statement]], share: float) -> tuple[str, ...]:
    quoted = [f"“{_short(later.text)}” repeats “{_short(earlier.text)}”" for later, earlier in again[:QUOTED]]
    more = [f"and {len(again) - QUOTED} more"] if len(again) > QUOTED else []
    return (f"{share:.0%} of the words repeat what was said", *quoted, *more)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
