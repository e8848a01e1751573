"""Ranks as intervals, the test against the floor, mean skill, and the rule for bold print."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.scoring.above_floor import corrected, is_above_floor
from s3harness.types import Score

WORST_SKILL = -1.0
"""Skill of a failed task, and the least of any task: an error in seconds has no bound, so that a single task could
decide the mean."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Best and worst rank that an entry may have; they are equal if the rank is certain."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def rank_intervals(scores: Mapping[str, Score]) -> dict[str, Rank]:
    """Return entry → its rank interval; another entry counts as better or worse only if the intervals do not overlap.

    This is conservative: a paired test, as in ``s3harness compare``, may distinguish two runs whose intervals overlap.
    An entry whose task failed ranks last. An entry without an interval, for lack of patients, may have any rank among
    those that did not fail.
    """
    bounds = {name: _bounds(score) for name, score in scores.items()}
    lows, highs = (sorted(ends) for ends in zip(*bounds.values(), strict=True)) if bounds else ([], [])
    return {
        # Counted in sorted ends: comparing all pairs takes seconds for a thousand entries.
        name: Rank(1 + len(lows) - bisect_right(lows, high), len(bounds) - bisect_left(highs, low))
        for name, (low, high) in bounds.items()
    }


def surest(scores: Iterable[Score]) -> float:
    """Return the greatest lower end of the scores' intervals, oriented so that more is better."""
    return max((_bounds(score)[0] for score in scores), default=float("-inf"))


def above_floor(entries: Sequence[LeaderboardEntry]) -> set[tuple[str, str]]:
    """Return the entries (by slug) and tasks whose primary score is significantly above its floor.

    The test is the paired one of :func:`~s3harness.scoring.above_floor.is_above_floor`, its p-values corrected by Holm
    over every task of every entry given, which are those that are shown together. Yardsticks and people are not tested:
    they are no models, and must not make the models' tests stricter.
    """
    scores = {
        (entry.slug, task): score
        for entry in entries
        if not entry.yardstick
        for task, score in entry.primary.items()
        if not is_failed(score)
    }
    return {key for key, score in zip(scores, corrected(scores.values()), strict=True) if is_above_floor(score)}


def is_bold(score: Score, best: float, is_above_floor: bool) -> bool:
    """Return whether a score is above its floor, and its interval reaches the best lower end (:func:`surest`)."""
    return is_above_floor and not is_failed(score) and best <= _bounds(score)[1]


def is_failed(score: Score) -> bool:
    """Return whether a task has no readable answer or no score, on items where a score is defined."""
    return not _is_undefined(score) and (score.value is None or (score.n_items > 0 and score.coverage == 0))


def task_skill(score: Score) -> float | None:
    """Return the skill of a task, at least :data:`WORST_SKILL`, which a failed one has.

    ``None`` if the items leave skill undefined: floor and ceiling are equal, or one of them is missing.
    """
    if _is_undefined(score):
        return None
    # A failed task has no value, and a skill of None would leave it out of the mean.
    if is_failed(score) or score.skill is None:
        return WORST_SKILL
    return max(WORST_SKILL, score.skill)


def mean_skill(entry: LeaderboardEntry) -> float | None:
    """Return the mean skill over all tasks of an entry; a task without a score counts as failed.

    ``None`` for a partial entry, and if no task has a skill on these items.
    """
    if entry.partial:
        return None
    primary = entry.primary
    # A task that was left without a score must not raise the mean of the others.
    skills = [task_skill(primary[task]) if task in primary else WORST_SKILL for task in entry.tasks]
    defined = [skill for skill in skills if skill is not None]
    return fmean(defined) if defined else None


def _is_undefined(score: Score) -> bool:
    if score.floor is None or score.ceiling is None:
        return True
    # Skill divides by the distance between floor and ceiling.
    return math.isclose(score.ceiling, score.floor, rel_tol=1e-9, abs_tol=1e-12)


def _bounds(score: Score) -> tuple[float, float]:
    """Return the interval, oriented so that more is better: unbounded if missing, the worst if the task failed."""
    if score.value is None or is_failed(score):
        return float("-inf"), float("-inf")
    if score.interval is None:
        return _LEAST, float("inf")
    low, high = sorted(_upwards(end, score) for end in (score.interval.low, score.interval.high))
    return low, high


_LEAST = -1e300
"""Lower end of a missing interval: below any score, and above a failed task."""


def _upwards(value: float, score: Score) -> float:
    return value if score.higher_is_better else -value
