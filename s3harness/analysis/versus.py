"""Comparison of runs item by item: numbers of items won and lost, and the items on which runs disagree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from s3harness.analysis.items import CLOSED, ItemScore, item_scores
from s3harness.analysis.systems import Shared
from s3harness.metrics.base import Pair
from s3harness.scoring.score_run import ScoredTask
from s3harness.types import Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Duel:
    """Two runs on one task: numbers of items on which the second is better (``won``), worse (``lost``) or equal."""

    task: str
    first: str
    second: str
    won: int
    lost: int
    tied: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """An item on which the runs scored differently, or answered differently from a closed list.

    ``answers`` and ``scores`` are those of the runs in their order, ``scores`` by ``metric`` (empty for a closed list
    of answers, where a score is 1 or 0); an answer is ``None`` where none could be read. ``best`` are the runs with the
    best score, none if all have it.
    """

    task: str
    video_id: str
    subject: str
    truth: object
    answers: tuple[object, ...]
    metric: str
    scores: tuple[float, ...]
    best: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Versus:
    """All runs item by item: the duels of each run with every later one, and the disagreements."""

    duels: tuple[Duel, ...]
    disagreements: tuple[Disagreement, ...]


def versus(shared: Shared) -> Versus:
    """Compare runs item by item, on the shared items that some metric scores one by one."""
    duels: list[Duel] = []
    disagreements: list[Disagreement] = []
    for task, (spec, pairs) in shared.items():
        runs = [ScoredTask(spec, [p.reference for p in own], [p.prediction for p in own]) for own in pairs.values()]
        # Scored anew on the shared items alone, in the order that all runs have.
        columns = [item_scores(run) for run in runs]
        of_items = zip(zip(*pairs.values(), strict=True), zip(*columns, strict=True), strict=True)
        rows = [_Row(own, scores) for own, scores in of_items]
        # An item that one run has no score for, as a report without a structure, decides nothing.
        scored = [row for row in rows if row.is_scored]
        duels += [
            _duel(task, names, [(row.upwards[a], row.upwards[b]) for row in scored])
            for (a, b), names in zip(combinations(range(len(runs)), 2), combinations(pairs, 2), strict=True)
        ]
        disagreements += _disagreements(list(pairs), scored, is_closed=spec.item in CLOSED)
    return Versus(tuple(duels), tuple(disagreements))


@dataclass(frozen=True, slots=True)
class _Row:
    """One item: its pairs and its scores in all runs."""

    pairs: tuple[Pair, ...]
    scores: tuple[ItemScore | None, ...]

    @property
    def is_scored(self) -> bool:
        return None not in self.scores

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(score.value for score in self.scores if score)

    @property
    def upwards(self) -> tuple[float, ...]:
        """Return the scores, with the sign changed where lower is better."""
        return tuple(score.value if score.higher_is_better else -score.value for score in self.scores if score)

    @property
    def reference(self) -> Reference:
        return self.pairs[0].reference


def _duel(task: str, names: tuple[str, str], scores: Sequence[tuple[float, float]]) -> Duel:
    # Floats of equal answers may differ in their last digits.
    tied = sum(_same(one, two) for one, two in scores)
    won = sum(two > one and not _same(one, two) for one, two in scores)
    first, second = names
    return Duel(task=task, first=first, second=second, won=won, lost=len(scores) - won - tied, tied=tied)


def _disagreements(names: Sequence[str], rows: Sequence[_Row], *, is_closed: bool) -> Iterator[Disagreement]:
    for row in rows:
        best = max(row.upwards)
        winners = tuple(name for name, value in zip(names, row.upwards, strict=True) if _same(value, best))
        answers = tuple(pair.prediction.value for pair in row.pairs)
        # Two different wrong answers of a closed list score alike, and are a disagreement all the same.
        if len(winners) < len(names) or (is_closed and len({repr(answer) for answer in answers}) > 1):
            metric = "" if is_closed else next(score.metric for score in row.scores if score)
            yield Disagreement(
                task=row.reference.task,
                video_id=row.reference.video_id,
                subject=row.reference.subject,
                truth=row.reference.truth,
                answers=answers,
                metric=metric,
                scores=row.values,
                best=winners if len(winners) < len(names) else (),
            )


def _same(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
