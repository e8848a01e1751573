"""Ranks that say how sure they are, who is above the floor, and who may be printed in bold."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.scoring.floor_test import corrected, is_above_floor
from s3harness.types import Score

WORST_SKILL = -1.0
"""The skill of a task that failed, and the least of any: an error in seconds has no end, and one task would decide
about all."""


@dataclass(frozen=True, slots=True)
class Rank:
    """The first and the last place that an entry may have; one place alone if it is sure."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def rank_intervals(scores: Mapping[str, Score]) -> dict[str, Rank]:
    """Entry → its rank interval: others are better or worse only where the intervals do not overlap.

    That is careful rather than sharp: intervals may overlap and a paired test still tell two runs apart, which
    ``s3harness compare`` does. An entry whose task failed has the last places; one that answered and has no interval,
    for there are too few patients, may have any place of those that answered.
    """
    bounds = {name: _bounds(score) for name, score in scores.items()}
    lows, highs = (sorted(ends) for ends in zip(*bounds.values(), strict=True)) if bounds else ([], [])
    return {
        name: Rank(1 + len(lows) - bisect_right(lows, high), len(bounds) - bisect_left(highs, low))
        for name, (low, high) in bounds.items()
    }


def surest(scores: Iterable[Score]) -> float:
    """Return the greatest lower end of the scores' intervals, such that more is better."""
    return max((_bounds(score)[0] for score in scores), default=float("-inf"))


def above_floor(entries: Sequence[LeaderboardEntry]) -> set[tuple[str, str]]:
    """Return the entries (by slug) and tasks whose primary score is significantly above its floor.

    The test is the paired one of :func:`~s3harness.scoring.floor_test.is_above_floor`, its p-values corrected by Holm
    over every task of every entry given, which are those that are shown together. A yardstick is no test.
    """
    scores = {
        (entry.slug, task): score
        for entry in entries
        if not entry.sees_truth
        for task, score in entry.primary.items()
        if not is_failed(score)
    }
    return {key for key, score in zip(scores, corrected(scores.values()), strict=True) if is_above_floor(score)}


def is_bold(score: Score, best: float, is_above_floor: bool) -> bool:
    """Whether a score is significantly above its floor, and not below what the best is sure of (:func:`surest`)."""
    return is_above_floor and not is_failed(score) and best <= _bounds(score)[1]


def is_failed(score: Score) -> bool:
    """Whether a task has no readable answer or no score, on items on which others have one."""
    return not _is_undefined(score) and (score.value is None or (score.n_items > 0 and score.coverage == 0))


def task_skill(score: Score) -> float | None:
    """Return the skill of a task, at least :data:`WORST_SKILL`, which a failed one has.

    ``None`` where the items themselves leave it undefined: floor and ceiling are the same, or there is none.
    """
    if _is_undefined(score):
        return None
    if is_failed(score) or score.skill is None:
        return WORST_SKILL
    return max(WORST_SKILL, score.skill)


def mean_skill(entry: LeaderboardEntry) -> float | None:
    """Return the mean skill over all tasks that an entry was asked; a task without a score counts as failed.

    ``None`` for a partial entry, and where no task has a skill on these items.
    """
    if entry.partial:
        return None
    primary = entry.primary
    skills = [task_skill(primary[task]) if task in primary else WORST_SKILL for task in entry.tasks]
    defined = [skill for skill in skills if skill is not None]
    return fmean(defined) if defined else None


def _is_undefined(score: Score) -> bool:
    if score.floor is None or score.ceiling is None:
        return True
    return math.isclose(score.ceiling, score.floor, rel_tol=1e-9, abs_tol=1e-12)


def _bounds(score: Score) -> tuple[float, float]:
    """Return the interval such that more is better: any score where there is none, the worst where a task failed."""
    if score.value is None or is_failed(score):
        return float("-inf"), float("-inf")
    if score.interval is None:
        return _LEAST, float("inf")
    low, high = sorted(_upwards(end, score) for end in (score.interval.low, score.interval.high))
    return low, high


_LEAST = -1e300
"""Below any score, and above a failed task."""


def _upwards(value: float, score: Score) -> float:
    return value if score.higher_is_better else -value
