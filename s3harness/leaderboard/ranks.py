"""Ranks that say how sure they are, and who may be printed in bold."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from s3harness.leaderboard.entries import Entry
from s3harness.types import Score


@dataclass(frozen=True, slots=True)
class Rank:
    """The first and the last place that an entry may have; one place alone if it is sure."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def rank_intervals(scores: Mapping[str, Score]) -> dict[str, Rank]:
    """Entry → its rank interval: others are surely better or worse only where the intervals do not overlap.

    That is careful rather than sharp: intervals may overlap and a paired test still tell two runs apart, which
    ``s3harness compare`` does. An entry without a score has the last places.
    """
    bounds = {name: _bounds(score) for name, score in scores.items()}
    lows, highs = (sorted(ends) for ends in zip(*bounds.values(), strict=True)) if bounds else ([], [])
    return {
        name: Rank(1 + len(lows) - bisect_right(lows, high), len(bounds) - bisect_left(highs, low))
        for name, (low, high) in bounds.items()
    }


def surest(scores: Iterable[Score]) -> float:
    """What the best of the scores is sure of, such that more is better: the greatest lower end of their intervals."""
    return max((_bounds(score)[0] for score in scores), default=float("-inf"))


def is_bold(score: Score, best: float) -> bool:
    """Whether a score surely beats its floor, and is not surely worse than ``best`` (:func:`surest`)."""
    low, high = _bounds(score)
    if score.value is None or score.floor is None or low <= _upwards(score.floor, score):
        return False
    return best <= high


def mean_skill(entry: Entry) -> float | None:
    """The mean skill over the tasks an entry has; ``None`` if it has none. Below its floor a task counts below 0.

    No task counts below −1: an error in seconds has no end, and one task would decide about all.
    """
    skills = [max(-1.0, score.skill) for score in entry.primary.values() if score.skill is not None]
    return fmean(skills) if skills else None


def _bounds(score: Score) -> tuple[float, float]:
    """The interval such that more is better; a score without one is sure of itself, none is worst of all."""
    if score.value is None:
        return float("-inf"), float("-inf")
    ends = (score.interval.low, score.interval.high) if score.interval else (score.value, score.value)
    low, high = sorted(_upwards(end, score) for end in ends)
    return low, high


def _upwards(value: float, score: Score) -> float:
    return value if score.higher_is_better else -value
