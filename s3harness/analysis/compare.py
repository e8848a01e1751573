"""Comparison of systems: paired by item, tested by patient, corrected over all comparisons that are shown.

Systems are compared on the items that all of them were asked about (:mod:`s3harness.analysis.systems`). The difference
of two is tested by a permutation test that exchanges their answers by patient. p-values are corrected by Holm over all
pairs of systems and all tasks, and by Benjamini and Hochberg over all pairs and all features of Task 1.
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

    ``note`` gives the reason for a missing interval, or tells that interval and test disagree. ``least_p`` is the
    smallest corrected p-value that is possible with these patients, if every test of the family had its smallest one.
    ``detectable`` is the smallest difference that is significant, after the correction, with a power of 0.8; ``None``
    where none can be.
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
        """Return whether the corrected p-value is below :data:`ALPHA`."""
        return self.p_adjusted is not None and self.p_adjusted < ALPHA

    @property
    def verdict(self) -> str:
        """Return the outcome in words."""
        if self.difference is None or self.p_adjusted is None:
            return "no test possible"
        if self.is_significant:
            return f"{self.second if (self.difference > 0) == self.higher_is_better else self.first} is better"
        # With few patients no result could be significant: "no difference" would claim too much.
        if self.least_p is not None and self.least_p >= ALPHA:
            return "no significance possible"
        return "no significant difference"


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons of some systems: by task, by feature of Task 1, their ranks by task, and notes for the reader."""

    tasks: tuple[Comparison, ...]
    features: tuple[Comparison, ...]
    ranks: Mapping[str, Mapping[str, RankInterval]]
    notes: tuple[str, ...] = ()


def compare(joined: Joined) -> Report:
    """Compare each system with every later one on each task's primary metric, and on each feature.

    A system without a readable answer to a task is compared as one whose answers are all wrong.
    """
    # Two families: features explain a task's result, and must not cost the tasks their significance.
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
    """A comparison before its correction, and its test."""

    comparison: Comparison
    test: PairedTest | None


def _compare(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> list[_Tested]:
    metric = build_metric(spec.name, chosen)
    # Once per system, not per pair of systems.
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
    # An undefined score has no difference that could be tested.
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
    tested = []
    for subject in subjects:
        of_subject = {n: [p for p in own if p.reference.subject == subject] for n, own in pairs.items()}
        # The label is the feature's name: the report has a row for each.
        one = replace(chosen, label=subject, params={**chosen.params, "subject": subject})
        tested += _compare(spec, one, of_subject)
    return tested


def _ranks(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> Mapping[str, RankInterval]:
    metric = build_metric(spec.name, chosen)
    return rank_intervals(metric, _rows(metric, pairs), _clusters(pairs))


def _rows(metric: Metric, pairs: Mapping[str, Sequence[Pair]]) -> dict[str, Array]:
    """Return the statistics of each system, all of one width."""
    rows = {name: metric.statistics(own) for name, own in pairs.items()}
    # A metric learns its columns from the answers: after all systems it has all columns, also for the first.
    is_ragged = len({own.shape[1] for own in rows.values()}) > 1
    return {name: metric.statistics(own) for name, own in pairs.items()} if is_ragged else rows


def _clusters(pairs: Mapping[str, Sequence[Pair]]) -> Any:
    return np.array([pair.reference.cluster for pair in next(iter(pairs.values()))])


def _corrected(tested: Sequence[_Tested], correct: Callable[[ArrayLike], Array]) -> tuple[Comparison, ...]:
    """Correct the p-values over all tests, and add the least possible p-values and the detectable differences."""
    tests = [one.test for one in tested]
    # NaN: a comparison without a test does not count in the correction.
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
    """Return the smallest detectable difference at the level that the correction leaves to this test."""
    # "not <": least_p may be NaN.
    if test is None or not least_p < ALPHA:
        return None
    # The correction multiplies the least p-value by least_p / test.least_p; the level shrinks by the same factor.
    return _number(test.smallest_detectable(alpha=ALPHA * test.least_p / least_p))


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
