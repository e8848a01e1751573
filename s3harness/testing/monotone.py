"""Tests that a metric rewards skill: more for whoever sees more, and more for any reader than for a blind answerer.

Both are tested on several cohorts, whose mean counts: one cohort of few items can favour anybody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import mean

from s3harness.metrics.base import Metric, Pair
from s3harness.testing.answerers import blind
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.testing.readers import honest_readers, ladders, read_all
from s3harness.types import Prediction, Reference

SEEDS = (0, 1, 2)
"""The cohorts, each with its own videos and its own lots of every answerer."""
VIDEOS: Mapping[str, int] = {"rationale": 24, "report": 24}
"""How many videos a cohort has where texts are read; :data:`VIDEOS_OTHERWISE` elsewhere."""
VIDEOS_OTHERWISE = 60

Cohorts = Sequence[Sequence[Pair]]
"""One answerer's pairs in each cohort."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """Readers of one ladder from the least skilled: (level, pairs)."""

    rising: str
    levels: Sequence[tuple[str, Cohorts]]


@dataclass(frozen=True, slots=True)
class Trials:
    """Pairs of all readers and answerers of one kind of items."""

    ladders: Sequence[Rungs]
    readers: Mapping[str, Cohorts]
    blind: Mapping[str, Cohorts]


@dataclass(frozen=True, slots=True)
class Misorder:
    """Two answerers in the wrong order: mean scores over the cohorts."""

    better: str
    score: float
    worse: str
    worse_score: float


def not_rising(make: Callable[[], Metric], kind: str) -> Iterator[Misorder]:
    """Yield the steps of the ladders on which a metric does not rise."""
    for ladder in trials(kind).ladders:
        scores = [(level, mean_score(make, cohorts)) for level, cohorts in ladder.levels]
        for (low, worse), (high, better) in pairwise(scores):
            if not is_better(make(), better, worse):
                yield Misorder(f"{ladder.rising}: {high}", better, f"{ladder.rising}: {low}", worse)


def beaten_readers(make: Callable[[], Metric], kind: str) -> Iterator[Misorder]:
    """Yield the readers whom a blind answerer equals, each with the best of those."""
    without_a_look = {name: mean_score(make, cohorts) for name, cohorts in trials(kind).blind.items()}
    sign = 1.0 if make().higher_is_better else -1.0
    # An answerer without a score beats nobody.
    defined = {name: value for name, value in without_a_look.items() if math.isfinite(value)}
    if not defined:
        return
    best = max(defined, key=lambda name: sign * defined[name])
    for name, cohorts in trials(kind).readers.items():
        value = mean_score(make, cohorts)
        if not is_better(make(), value, defined[best]):
            yield Misorder(name, value, best, defined[best])


def mean_score(make: Callable[[], Metric], cohorts: Cohorts) -> float:
    """Mean score over the cohorts; NaN if it is undefined in one."""
    values = []
    for pairs in cohorts:
        # A new metric for each cohort, lest one that keeps state carries it over.
        metric = make()
        values.append(float(metric.value(metric.statistics(pairs).sum(axis=0))))
    return mean(values)


def is_better(metric: Metric, one: float, other: float) -> bool:
    """Return True if a score is better than another by more than rounding; False for an undefined one."""
    # Comparisons with NaN are False, so that an undefined score is never better.
    return (one - other if metric.higher_is_better else other - one) > 1e-9


# One entry for each of the seven kinds: the suite tries many metrics on each, one kind after another.
@lru_cache(maxsize=8)
def trials(kind: str) -> Trials:
    """Return the pairs of all readers and blind answerers on the cohorts of one kind of items."""
    cohorts = [_references(kind, seed) for seed in SEEDS]
    named = [blind(kind, references, seed=seed) for seed, references in zip(SEEDS, cohorts, strict=True)]
    return Trials(
        [
            Rungs(
                ladder.rising,
                [
                    (level, [_pairs(c, read_all(kind, reader, c, s)) for s, c in zip(SEEDS, cohorts, strict=True)])
                    for level, reader in ladder.levels
                ],
            )
            for ladder in ladders(kind)
        ],
        {
            name: [_pairs(c, read_all(kind, reader, c, s)) for s, c in zip(SEEDS, cohorts, strict=True)]
            for name, reader in honest_readers(kind).items()
        },
        {name: [_pairs(c, of[name]) for c, of in zip(cohorts, named, strict=True)] for name in named[0]},
    )


def _references(kind: str, seed: int) -> list[Reference]:
    return references_of(kind, made_up_videos(VIDEOS.get(kind, VIDEOS_OTHERWISE), seed=seed), seed=seed)


def _pairs(references: Sequence[Reference], predictions: Sequence[Prediction]) -> list[Pair]:
    return [Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)]
