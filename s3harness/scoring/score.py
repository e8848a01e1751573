"""From predictions to scores: every metric beside its floor, its ceiling, its coverage and its interval."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from s3harness.errors import SpecError
from s3harness.intervals import IntervalResult, patient_interval
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.floors import Expectation, Weighted, certain, expected_floors, truth_of
from s3harness.plugins import blamed, load
from s3harness.scoring.judging import Judged, judged_metric, judged_pairs
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.stats import PatientSums
from s3harness.types import Prediction, Reference, Score

RESAMPLES = 2000
SEED = 0
RQI = "rqi"
"""The metric that reads reports, and that a judge can read them for."""
_CEILING = "ceiling"
"""The truth itself, among the trivial answerers."""


def score_task(
    spec: TaskSpec,
    references: Sequence[Reference],
    predictions: Sequence[Prediction],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    judged: Judged | None = None,
) -> list[Score]:
    """The scores of one task, in the order of its metrics; none if the task has no items.

    ``judged`` is what a judge made of the reports, for the Seizure-RQI to be scored by.
    """
    if not references:
        return []
    scorer = TaskScorer(spec, references, judged)
    scorer.add([Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)])
    return scorer.scores(resamples, seed)


class TaskScorer:
    """The scores of one task, from pairs that come some at a time, those of a video together.

    Of a pair no more is kept than what its patient's sums have of it; a metric that compares all pairs is the
    exception, and holds them. ``references`` are those of all pairs, and are walked more than once; ``judged`` is as
    of :func:`score_task`.
    """

    def __init__(self, spec: TaskSpec, references: Iterable[Reference], judged: Judged | None = None) -> None:
        self._answerers: dict[str, list[Weighted]] = {_CEILING: [(certain, truth_of)]}
        self._answerers |= expected_floors(spec.item, references)
        self._measured = [_Measured(spec.name, metric, judged) for metric in spec.metrics]
        self._comparing = [one for one in self._measured if not one.by_video]
        self._held: list[Pair] = []

    def add(self, pairs: Sequence[Pair]) -> None:
        """Add some more pairs."""
        self._add([one for one in self._measured if one.by_video], pairs)
        if self._comparing:
            self._held += [_slim(pair) for pair in pairs]

    def scores(self, resamples: int = RESAMPLES, seed: int = SEED) -> list[Score]:
        """The scores of all that was added, in the order of the metrics; nothing can be added afterwards."""
        self._add(self._comparing, self._held)
        return [one.score(resamples, seed) for one in self._measured]

    def _add(self, measured: Sequence[_Measured], pairs: Sequence[Pair]) -> None:
        """Add pairs, what the truth would be beside them, and what every trivial answerer says of them."""
        for one in measured:
            one.add(pairs)
        references = [pair.reference for pair in pairs] if measured else []
        for name, made in self._answerers.items():
            for number, (weight, say) in enumerate(made):
                said = [Pair(reference, say(reference)) for reference in references]
                for one in measured:
                    one.expected[name].add(number, said, weight(references))


def _slim(pair: Pair) -> Pair:
    """A pair without what no metric is about: the requests, and how the answers to them were read."""
    return Pair(replace(pair.reference, requests=()), replace(pair.prediction, note=""))


def build_metric(task: str, spec: MetricSpec) -> Metric:
    """The metric that a spec names, with its parameters; :class:`SpecError` if it does not take them."""
    make = cast("Callable[..., Metric]", load("metric", spec.name))
    try:
        with blamed("metric", spec.name):
            return make(**spec.params)
    except TypeError as error:
        raise SpecError(f"{task}: metric {spec.name!r}: {error}") from error


class _Measured:
    """One metric of a task, named if it fails, and what is counted and added up for it."""

    def __init__(self, task: str, spec: MetricSpec, judged: Judged | None) -> None:
        judge = judged if spec.name == RQI else None
        self.task, self.spec = task, judged_metric(spec, judge) if judge else spec
        self.metric = build_metric(task, self.spec)
        self.higher_is_better, self.unit = self.metric.higher_is_better, self.metric.unit
        self.by_video = getattr(self.metric, "by_video", False)
        self.coverage, self.sums = _Coverage(str(spec.params.get("subject", "")), judge), PatientSums()
        self.expected: defaultdict[str, Expectation] = defaultdict(lambda: Expectation(self))

    def add(self, pairs: Sequence[Pair]) -> None:
        """Add what was answered."""
        self.coverage.add(pairs)
        self.sums.add(self.statistics(pairs), [pair.reference.cluster for pair in pairs])

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """The rows of the metric."""
        with blamed("metric", self.spec.name):
            return self.metric.statistics(pairs)

    def value(self, totals: Array) -> Array:
        """The scores of the metric."""
        with blamed("metric", self.spec.name):
            return self.metric.value(totals)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """The parts of the metric's score."""
        with blamed("metric", self.spec.name):
            return self.metric.parts(totals)

    def score(self, resamples: int, seed: int) -> Score:
        """The score of all that was added, beside those of the truth and of the trivial answerers."""
        totals, items = self.sums.totals, self.coverage
        values = {name: _number(expected.value()) for name, expected in self.expected.items()}
        ceiling = values.pop(_CEILING)
        floor, floor_name = _best_floor(values, ceiling)
        parts = self.parts(totals) if items.answered else {}
        interval = _interval(self, resamples, seed) if items.answered else IntervalResult(None)
        return Score(
            task=self.task,
            metric=self.spec.label,
            value=_number(self.value(totals)) if items.answered else None,
            interval=interval.interval,
            interval_note=interval.note,
            floor=floor,
            floor_name=floor_name,
            ceiling=ceiling,
            n_items=items.items,
            n_patients=len(items.patients),
            coverage=items.answered / items.items if items.items else 0.0,
            lost=dict(sorted(items.lost.items())),
            higher_is_better=self.higher_is_better,
            primary=self.spec.primary,
            unit=self.unit,
            parts={name: value for name, value in parts.items() if math.isfinite(value)},
        )


@dataclass
class _Coverage:
    """The items that a metric is about, those of its subject whose truth somebody could tell, and how they ended.

    ``lost`` counts those without a value, by reason, and those that miss some of their windows.
    """

    subject: str
    judged: Judged | None
    items: int = 0
    answered: int = 0
    patients: set[int] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, pairs: Sequence[Pair]) -> None:
        """Count some more."""
        told = judged_pairs(pairs, self.judged) if self.judged else pairs
        scored = [p for p in told if self.subject in ("", p.reference.subject) and not _untested(p.reference.truth)]
        self.items += len(scored)
        self.answered += sum(pair.is_answered for pair in scored)
        self.patients |= {pair.reference.cluster for pair in scored}
        self.lost.update(p.prediction.status for p in scored if p.prediction.status != "answered")


def _untested(truth: object) -> bool:
    return truth == "untested" or (isinstance(truth, Mapping) and truth.get("present") == "untested")


def _best_floor(floors: Mapping[str, float | None], ceiling: float | None) -> tuple[float | None, str]:
    """The trivial answerer that comes nearest to the ceiling, the first of equals."""
    defined = {name: value for name, value in floors.items() if value is not None}
    if not defined or ceiling is None:
        return None, ""
    best = min(defined, key=lambda name: abs(ceiling - defined[name]))
    return defined[best], best


def _interval(measured: _Measured, resamples: int, seed: int) -> IntervalResult:
    """The interval of a score, or the reason why there is none."""
    with blamed("metric", measured.spec.name):
        return patient_interval(measured.metric, measured.sums.by_patient(), resamples=resamples, seed=seed)


def _number(value: Array | float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
