"""Task 4 as published: mean absolute error per boundary.

Defects, kept because the published numbers have them:

- An answer that could not be read is dropped, 158 of 565 for one of the models.
- A boundary without any readable answer has an error of 0, a perfect one, and enters the mean as such.
- Answers beyond the clip are taken as they are, so that one wrong unit outweighs everything else.
- The clips are centred: always answering the middle of the clip has an error of about one second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from s3harness.metrics.base import Array, Pair, safe_ratio
from s3harness.metrics.boundaries import seconds_answered
from s3harness.metrics.subjects import SubjectMeans

NOT_SCORED = ("ictal_vocalization", "verbal_responsiveness", "occur_during_sleep")
"""Signs that the published table has no column for."""


@dataclass(kw_only=True)
class PaperBoundaryMae(SubjectMeans):
    """Mean over the boundaries of their mean absolute error in seconds, 0 for a boundary without an answer."""

    def value(self, totals: Array) -> Array:
        """Return the mean over boundaries."""
        return self._errors(totals).mean(axis=-1) if totals.shape[-1] else np.full(totals.shape[:-1], np.nan)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return boundary → mean absolute error."""
        return {name: float(error) for name, error in zip(self._subjects.names, self._errors(totals), strict=False)}

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (error, 1) in the block of the boundary; pairs of boundaries that are not scored have no block."""
        # Before the base class: a boundary that is not scored must not get a block of columns.
        scored = [pair for pair in pairs if pair.reference.subject not in NOT_SCORED]
        self._subjects.learn(scored)
        rows = super().statistics(scored)
        out = np.zeros((len(pairs), rows.shape[1]))
        out[[pair.reference.subject not in NOT_SCORED for pair in pairs]] = rows
        return out

    def _errors(self, totals: Array) -> Array:
        sums = totals.reshape(*totals.shape[:-1], totals.shape[-1] // 2, 2)
        # The published defect: a boundary without an answer is a perfect one.
        return safe_ratio(sums[..., 0], sums[..., 1], empty=0.0)


def paper_boundary_mae(*, subject: str = "") -> PaperBoundaryMae:
    """Return the mean absolute error of answered items in seconds, averaged over boundaries, which are the parts."""
    return PaperBoundaryMae(score=_error, average="subjects", subject=subject, higher_is_better=False, unit="s")


def released_seconds(text: str) -> float | None:
    """Return a released time, whole seconds, ``MM:SS`` or ``H:MM:SS``, in seconds; ``None`` for anything else."""
    match = re.fullmatch(r"\s*(?:(?:(\d+):)?(\d+):)?(\d+)\s*", text)
    if match is None:
        return None
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return float(3600 * hours + 60 * minutes + seconds)


def _error(pair: Pair) -> float | None:
    answer = seconds_answered(pair)
    return None if answer is None else abs(answer - float(pair.reference.truth))  # type: ignore[arg-type]
