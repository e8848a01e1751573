"""Comparing runs: paired by item, resampled by patient, corrected for multiplicity.

Runs are compared on the items that all of them were asked. The difference of two runs is tested by exchanging their
answers patient by patient; p-values are Holm's over the tasks and Benjamini and Hochberg's over the features of Task 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from s3harness.errors import UsageError
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.scoring.run import ScoredTask, read_run
from s3harness.scoring.score import build_metric
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.stats import (
    PairedTest,
    RankInterval,
    benjamini_hochberg,
    holm,
    paired_permutation,
    rank_intervals,
    smallest_detectable_difference,
)

PERMUTATIONS = 10_000

Shared = Mapping[str, tuple[TaskSpec, Mapping[str, Sequence[Pair]]]]
"""Task → its spec, and the pairs of each run on the items that all runs were asked, in one order."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs on one metric: ``difference`` is second minus first; ``p_adjusted`` is corrected within its family.

    ``detectable`` is the smallest difference that these items could show with a power of 0.8.
    """

    task: str
    metric: str
    first: str
    second: str
    first_value: float | None
    second_value: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    detectable: float | None
    n_items: int
    n_patients: int
    higher_is_better: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All comparisons of a set of runs: by task, by feature of Task 1, and the runs' ranks by task."""

    tasks: tuple[Comparison, ...]
    features: tuple[Comparison, ...]
    ranks: Mapping[str, Mapping[str, RankInterval]]


def compare_runs(directories: Sequence[Path], *, profile: str = "strict") -> Report:
    """Read the runs and compare them: :func:`read_runs`, then :func:`compare`."""
    return compare(read_runs(directories, profile=profile))


def read_runs(directories: Sequence[Path], *, profile: str = "strict") -> Shared:
    """Task → its spec, and the pairs of each run, by the run's name, on the items that all of them were asked.

    Raises :class:`UsageError` if the runs share no task, or disagree about the truth of an item.
    """
    if len({path.resolve() for path in directories}) < len(directories):
        raise UsageError("a run cannot be compared with itself")
    runs = {name: read_run(path, profile) for name, path in zip(_names(directories), directories, strict=True)}
    shared = [name for name in next(iter(runs.values())) if all(name in run for run in runs.values())]
    if not shared:
        raise UsageError("the runs have no task in common")
    found = {name: _common({run: scored[name] for run, scored in runs.items()}) for name in shared}
    return {name: (spec, pairs) for name, (spec, pairs) in found.items() if pairs}


def compare(shared: Shared) -> Report:
    """Compare each run with every later one on each task's primary metric, and on each feature."""
    tasks: list[Comparison] = []
    features: list[Comparison] = []
    ranks = {}
    for name, (spec, pairs) in shared.items():
        primary = next(metric for metric in spec.metrics if metric.primary)
        tasks += _compare(spec, primary, pairs)
        ranks[name] = _ranks(spec, primary, pairs)
        if spec.item == "feature":
            features += _by_feature(spec, primary, pairs)
    return Report(tuple(_adjusted(tasks, holm)), tuple(_adjusted(features, benjamini_hochberg)), ranks)


def _names(directories: Sequence[Path]) -> list[str]:
    """The runs by the name of their directory, with as many folders above it as it takes to tell them apart."""
    parts = [path.resolve().parts for path in directories]
    depths = range(1, max(map(len, parts)) + 1)
    named = (["/".join(own[-depth:]) for own in parts] for depth in depths)
    return next(names for names in named if len(set(names)) == len(names))


def _common(runs: Mapping[str, ScoredTask]) -> tuple[TaskSpec, dict[str, list[Pair]]]:
    """The pairs of each run on the items that all have, in one order."""
    by_item = {
        name: {r.item: Pair(r, p) for r, p in zip(task.references, task.predictions, strict=True)}
        for name, task in runs.items()
    }
    first = next(iter(runs.values()))
    items = [r.item for r in first.references if all(r.item in pairs for pairs in by_item.values())]
    for item in items:
        if len({repr(pairs[item].reference.truth) for pairs in by_item.values()}) > 1:
            raise UsageError(f"the runs disagree about the truth of {item}: they were made on different annotations")
    return first.spec, {name: [pairs[item] for item in items] for name, pairs in by_item.items()} if items else {}


def _compare(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> list[Comparison]:
    metric = build_metric(spec.name, chosen)
    rows = {name: metric.statistics(of_run) for name, of_run in pairs.items()}
    rows = {name: metric.statistics(of_run) for name, of_run in pairs.items()} if _ragged(rows) else rows
    names = list(pairs)
    clusters = np.array([pair.reference.cluster for pair in pairs[names[0]]])
    return [
        _comparison(spec, chosen, metric, (first, second), rows, clusters)
        for number, first in enumerate(names)
        for second in names[number + 1 :]
    ]


def _comparison(
    spec: TaskSpec, chosen: MetricSpec, metric: Metric, names: tuple[str, str], rows: Mapping[str, Array], clusters: Any
) -> Comparison:
    first, second = rows[names[0]], rows[names[1]]
    values = [_number(metric.value(of_run.sum(axis=0))) for of_run in (first, second)]
    test: PairedTest | None = None
    if None not in values:
        test = paired_permutation(metric, second, first, clusters, resamples=PERMUTATIONS)
    interval = test.interval if test else None
    return Comparison(
        task=spec.name,
        metric=chosen.label,
        first=names[0],
        second=names[1],
        first_value=values[0],
        second_value=values[1],
        difference=_number(test.difference) if test else None,
        low=_number(interval.low) if interval else None,
        high=_number(interval.high) if interval else None,
        p=_number(test.p_value) if test else None,
        p_adjusted=None,
        detectable=_number(smallest_detectable_difference(metric, second, first, clusters)) if test else None,
        n_items=len(first),
        n_patients=len(set(clusters.tolist())),
        higher_is_better=metric.higher_is_better,
    )


def _by_feature(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> list[Comparison]:
    subjects = dict.fromkeys(pair.reference.subject for pair in next(iter(pairs.values())))
    compared = []
    for subject in subjects:
        of_subject = {n: [p for p in of_run if p.reference.subject == subject] for n, of_run in pairs.items()}
        one = replace(chosen, label=subject, params={**chosen.params, "subject": subject})
        compared += _compare(spec, one, of_subject)
    return compared


def _ranks(spec: TaskSpec, chosen: MetricSpec, pairs: Mapping[str, Sequence[Pair]]) -> Mapping[str, RankInterval]:
    metric = build_metric(spec.name, chosen)
    rows = {name: metric.statistics(of_run) for name, of_run in pairs.items()}
    clusters = np.array([pair.reference.cluster for pair in next(iter(pairs.values()))])
    return rank_intervals(metric, rows, clusters)


def _adjusted(comparisons: Sequence[Comparison], correct: Any) -> list[Comparison]:
    """Correct the p-values of each pair of runs over its family."""
    adjusted: dict[int, float] = {}
    families: dict[tuple[str, str], list[int]] = {}
    for number, comparison in enumerate(comparisons):
        families.setdefault((comparison.first, comparison.second), []).append(number)
    for numbers in families.values():
        p_values = [math.nan if comparisons[n].p is None else comparisons[n].p for n in numbers]
        adjusted |= dict(zip(numbers, correct(p_values), strict=True))
    return [replace(c, p_adjusted=_number(adjusted[n])) for n, c in enumerate(comparisons)]


def _ragged(rows: Mapping[str, Array]) -> bool:
    """Whether the metric learnt new subjects on the way, so that its first rows are too narrow."""
    return len({of_run.shape[1] for of_run in rows.values()}) > 1


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
