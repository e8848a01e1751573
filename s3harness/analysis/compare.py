"""Comparing systems: paired by item, tested by patient, corrected for everything that is shown.

Systems are compared on the items that all of them were asked (:mod:`s3harness.analysis.systems`). The difference of two
is tested by exchanging their answers patient by patient. p-values are Holm's over all pairs of systems and all tasks,
and Benjamini and Hochberg's over all pairs and all features of Task 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from s3harness.analysis.systems import Joined
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.scoring.score_task import build_metric
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.stats import (
    PairedTest,
    RankInterval,
    benjamini_hochberg,
    holm,
    paired_permutation,
    rank_intervals,
)

PERMUTATIONS = 10_000
ALPHA = 0.05
"""Corrected p-values below this are called significant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two systems on one metric: ``difference`` is second minus first; ``p_adjusted`` is corrected within its family.

    ``note`` says why there is no interval, or that interval and test disagree. ``least_p`` is the smallest corrected
    p-value that these patients allow if every test of the family were as clear as can be. ``detectable`` is the
    smallest difference that these items would show, after the correction, with a power of 0.8; ``None`` where none can
    be significant.
    """

    task: str
    metric: str
    first: str
    second: str
    first_value: float | None
    second_value: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""
    p: float | None = None
    p_adjusted: float | None = None
    least_p: float | None = None
    detectable: float | None = None
    n_items: int
    n_patients: int
    higher_is_better: bool

    @property
    def is_significant(self) -> bool:
        """Whether the corrected p-value is below :data:`ALPHA`."""
        return self.p_adjusted is not None and self.p_adjusted < ALPHA

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.difference is None or self.p_adjusted is None:
            return "no test possible"
        if self.is_significant:
            return f"{self.second if (self.difference > 0) == self.higher_is_better else self.first} is better"
        if self.least_p is not None and self.least_p >= ALPHA:
            return "no significance possible"
        return "no significant difference"


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons of some systems: by task, by feature of Task 1, their ranks by task, and what is to be said."""

    tasks: tuple[Comparison, ...]
    features: tuple[Comparison, ...]
    ranks: Mapping[str, Mapping[str, RankInterval]]
    notes: tuple[str, ...] = ()


def compare(joined: Joined) -> Report:
    """Compare each system with every later one on each task's primary metric, and on each feature.

    A system without a readable answer to a task is compared as one whose answers are all wrong.
    """
    tasks: list[_Tested] = []
    features: list[_Tested] = []
    ranks = {}
    for name, (spec, pairs) in joined.shared.items():
        primary = next(metric for metric in spec.metrics if metric.primary)
        tasks += _compare(spec, primary, pairs)
        ranks[name] = _ranks(spec, primary, pairs)
        if spec.item == "feature":
            features += _by_feature(spec, primary, pairs)
    return Report(_corrected(tasks, holm), _corrected(features, benjamini_hochberg), ranks, joined.notes)


@dataclass(frozen=True, slots=True)
class _Tested:
    """A comparison before its correction, and the test that it rests on."""

    comparison: Comparison
    test: PairedTest | None


def _compare(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> list[_Tested]:
    metric = build_metric(spec.name, chosen)
    rows = _rows(metric, pairs)
    names = list(pairs)
    clusters = _clusters(pairs)
    return [
        _tested(spec, chosen, metric, (first, second), rows, clusters)
        for number, first in enumerate(names)
        for second in names[number + 1 :]
    ]


def _tested(
    spec: TaskSpec, chosen: MetricSpec, metric: Metric, names: tuple[str, str], rows: Mapping[str, Array], clusters: Any
) -> _Tested:
    first, second = rows[names[0]], rows[names[1]]
    values = [_number(metric.value(of_system.sum(axis=0))) for of_system in (first, second)]
    test = None if None in values else paired_permutation(metric, second, first, clusters, resamples=PERMUTATIONS)
    interval = test.interval if test else None
    comparison = Comparison(
        task=spec.name,
        metric=chosen.label,
        first=names[0],
        second=names[1],
        first_value=values[0],
        second_value=values[1],
        difference=_number(test.difference) if test else None,
        low=_number(interval.low) if interval else None,
        high=_number(interval.high) if interval else None,
        note=test.note if test else "",
        p=_number(test.p_value) if test else None,
        n_items=len(first),
        n_patients=len(set(clusters.tolist())),
        higher_is_better=metric.higher_is_better,
    )
    return _Tested(comparison, test)


def _by_feature(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> list[_Tested]:
    subjects = dict.fromkeys(pair.reference.subject for pair in next(iter(pairs.values())))
    compared = []
    for subject in subjects:
        of_subject = {n: [p for p in own if p.reference.subject == subject] for n, own in pairs.items()}
        one = replace(chosen, label=subject, params={**chosen.params, "subject": subject})
        compared += _compare(spec, one, of_subject)
    return compared


def _ranks(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> Mapping[str, RankInterval]:
    metric = build_metric(spec.name, chosen)
    return rank_intervals(metric, _rows(metric, pairs), _clusters(pairs))


def _rows(metric: Metric, pairs: Mapping[str, Sequence[Pair]]) -> dict[str, Array]:
    """The rows of each system, all of one width: a metric that learnt new subjects on the way is asked again."""
    rows = {name: metric.statistics(own) for name, own in pairs.items()}
    is_ragged = len({own.shape[1] for own in rows.values()}) > 1
    return {name: metric.statistics(own) for name, own in pairs.items()} if is_ragged else rows


def _clusters(pairs: Mapping[str, Sequence[Pair]]) -> Any:
    return np.array([pair.reference.cluster for pair in next(iter(pairs.values()))])


def _corrected(tested: Sequence[_Tested], correct: Callable[[ArrayLike], Array]) -> tuple[Comparison, ...]:
    """Correct the p-values over all that was tested, and say what the correction leaves possible."""
    tests = [one.test for one in tested]
    adjusted = correct([test.p_value if test else math.nan for test in tests])
    least = correct([test.least_p if test else math.nan for test in tests])
    return tuple(
        replace(
            one.comparison,
            p_adjusted=_number(p),
            least_p=_number(least_p),
            detectable=_detectable(one.test, float(least_p)),
        )
        for one, p, least_p in zip(tested, adjusted, least, strict=True)
    )


def _detectable(test: PairedTest | None, least_p: float) -> float | None:
    """The smallest detectable difference at the level that the correction leaves to this test."""
    if test is None or not least_p < ALPHA:
        return None
    return _number(test.smallest_detectable(alpha=ALPHA * test.least_p / least_p))


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
