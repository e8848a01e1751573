"""From predictions to scores: every metric beside its floor, its ceiling, its coverage and its interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, cast

import numpy as np

from s3harness.errors import SpecError
from s3harness.intervals import IntervalResult, patient_interval
from s3harness.metrics.answerers import Answerers, Mixture, Say, certain
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.floors import answerers, mixed, truth_of
from s3harness.metrics.one_class import ClassCoverage
from s3harness.plugins.manager import blamed, load
from s3harness.scoring.floor_test import corrected, tested_against_floor
from s3harness.scoring.judging.judge import Judged, judged_metric, judged_pairs
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.stats import PatientSums, add_rows
from s3harness.types import FloorTest, Prediction, Reference, Score

RESAMPLES = 2000
SEED = 0
RQI = "rqi"
"""The metric that reads reports, and that a judge can read them for."""
_CEILING, _TRUTH, _READER = "ceiling", "truth", "reader"
"""The best answers to be expected, the truth itself, and the simulated reader, among the trivial answerers."""
_DIGITS = 12
"""Decimals to which floors are equal: sums of the same numbers in another order."""
_ADDED = 1024
"""Rows that are added at once."""


def score_task(
    spec: TaskSpec,
    references: Sequence[Reference],
    predictions: Sequence[Prediction],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    judged: Judged | None = None,
    training: Iterable[Reference] | None = None,
) -> list[Score]:
    """The scores of one task, in the order of its metrics; none if the task has no items.

    ``judged`` is what a judge made of the reports, for the Seizure-RQI to be scored by. ``training`` are the items of
    a training split, of other patients, which the floors are then fitted on; without it each patient's floors are
    fitted on the other patients. An item without an answer is scored as wrong, also where none has one. The floor test
    is corrected over the primary metrics of this task; of several tasks by :func:`.floor_test.corrected`.
    """
    if not references:
        return []
    scorer = TaskScorer(spec, references, judged, training)
    scorer.add([Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)])
    return scorer.scores(resamples, seed)


class TaskScorer:
    """The scores of one task, from pairs that come some at a time, those of a video together.

    Of a pair no more is kept than what its patient's sums have of it; a metric that compares all pairs is the
    exception, and holds them. ``references`` are those of all pairs, and are walked once; ``judged`` and ``training``
    are as of :func:`score_task`.
    """

    def __init__(
        self,
        spec: TaskSpec,
        references: Iterable[Reference],
        judged: Judged | None = None,
        training: Iterable[Reference] | None = None,
    ) -> None:
        self._answerers = _read_by_rules(answerers(spec.item, references, training), judged)
        self._says = {_CEILING: truth_of, _TRUTH: truth_of, **self._answerers.says}
        self._measured = [_Measured(spec.name, metric, judged) for metric in spec.metrics]
        self._comparing = [one for one in self._measured if not one.by_video]
        self._held: list[Pair] = []
        self._classes = ClassCoverage()

    def add(self, pairs: Sequence[Pair]) -> None:
        """Add some more pairs."""
        self._classes.add(pair.reference for pair in pairs)
        self._add([one for one in self._measured if one.by_video], pairs)
        if self._comparing:
            self._held += [_slim(pair) for pair in pairs]

    def scores(self, resamples: int = RESAMPLES, seed: int = SEED) -> list[Score]:
        """The scores of all that was added, in the order of the metrics; nothing can be added afterwards."""
        self._add(self._comparing, self._held)
        scores = [one.score(self._answerers, resamples, seed) for one in self._measured]
        told = [
            replace(score, warning=self._classes.warning(one.task, one.subject)) if score.n_items else score
            for one, score in zip(self._measured, scores, strict=True)
        ]
        return corrected(told)

    def _add(self, measured: Sequence[_Measured], pairs: Sequence[Pair]) -> None:
        """Add pairs, what the truth would be beside them, and what every trivial answerer says of them."""
        for one in measured:
            one.add(pairs)
        references = [pair.reference for pair in pairs] if measured else []
        if not references:
            return
        weights = {id(weigh): weigh(references) for _, mixture in self._mixtures() for _, weigh in mixture}
        remember = _forgetting if measured[0] in self._comparing else cache
        said = remember(lambda part: [Pair(r, self._says[part](r)) for r in references])
        for one in measured:
            rows = remember(partial(_rows, one, said))
            for name, mixture in self._mixtures():
                if name == _TRUTH and not one.has_ceiling:
                    continue
                parts = ((rows(part), weights[id(weigh)]) for part, weigh in mixture)
                one.expectation(name).add(parts, references, is_whole=one not in self._comparing)

    def _mixtures(self) -> list[tuple[str, Mixture]]:
        """The ceiling, the truth, each floor and the simulated reader, as mixtures of what is said."""
        reader = self._answerers.reader
        return [
            (_CEILING, [(_CEILING, certain)]),
            (_TRUTH, [(_TRUTH, certain)]),
            *((name, floor.mixture) for name, floor in self._answerers.floors.items()),
            *([(_READER, reader.mixture)] if reader else []),
        ]


def _rows(measured: _Measured, said: Callable[[str], Sequence[Pair]], part: str) -> Array:
    pairs = said(part)
    return measured.statistics(measured.at_ceiling(pairs) if part == _CEILING else pairs)


def _forgetting(work: Callable[[str], Any]) -> Callable[[str], Any]:
    """Nothing is remembered where all pairs come at once: what is said of them would take more than they do."""
    return work


def _read_by_rules(offered: Answerers, judged: Judged | None) -> Answerers:
    """The answerers, and no simulated reader where a judge reads: it has not been shown that reader's reports."""
    return replace(offered, reader=None) if judged else offered


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
        self.has_ceiling = getattr(self.metric, "ceiling", None) is not None
        self.subject = str(spec.params.get("subject", ""))
        self.coverage, self.sums = _Coverage(self.subject, judge, self.metric), PatientSums()
        self.expected: dict[str, Expectation] = {}

    def at_ceiling(self, true: Sequence[Pair]) -> Sequence[Pair]:
        """The best answers to be expected, in the place of the truths: the truths, unless the metric has others."""
        ceiling = getattr(self.metric, "ceiling", None)
        if ceiling is None:
            return true
        with blamed("metric", self.spec.name):
            say: Say = ceiling([pair.reference for pair in true])
            return [Pair(pair.reference, say(pair.reference)) for pair in true]

    def add(self, pairs: Sequence[Pair]) -> None:
        """Add what was answered."""
        self.coverage.add(pairs)
        self.sums.add(self.statistics(pairs), [pair.reference.cluster for pair in pairs])

    def expectation(self, name: str) -> Expectation:
        """What a mixture of answers is expected to score.

        Sums by patient, for the test against the floor, are held of the floors of a primary metric alone.
        """
        if name not in self.expected:
            self.expected[name] = Expectation(self.spec.primary and name not in (_CEILING, _TRUTH, _READER))
        return self.expected[name]

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

    def score(self, offered: Answerers, resamples: int, seed: int) -> Score:
        """The score of all that was added, beside those of the truth and of the trivial answerers."""
        totals, items = self.sums.totals, self.coverage
        values = {name: _number(self.value(expected.totals)) for name, expected in self.expected.items()}
        informed, truth = values.pop(_READER, None), values.pop(_TRUTH, None)
        ceiling = self._ceiling(values.pop(_CEILING, None), truth, informed)
        floor, best = _best_floor(values, ceiling, offered, self.higher_is_better)
        value = _number(self.value(totals)) if items.items else None
        parts = self.parts(totals) if items.items else {}
        interval = IntervalResult(None) if value is None else _interval(self, resamples, seed)
        return Score(
            task=self.task,
            metric=self.spec.label,
            value=value,
            interval=interval.interval,
            interval_note=interval.note,
            floor=floor,
            floor_name=offered.title(best) if best else "",
            ceiling=ceiling,
            n_items=items.items,
            n_patients=len(items.patients),
            coverage=items.answered / items.items if items.items else 0.0,
            lost=dict(sorted(items.lost.items())),
            higher_is_better=self.higher_is_better,
            primary=self.spec.primary,
            unit=self.unit,
            parts={name: value for name, value in parts.items() if math.isfinite(value)},
            floor_test=self._floor_test(best) if best and value is not None else None,
            informed=informed,
            informed_name=offered.reader.name if offered.reader and informed is not None else "",
        )

    def _ceiling(self, expected: float | None, truth: float | None, informed: float | None) -> float | None:
        """Return the metric's own ceiling, or what the truth scores where a noisy reader is above that ceiling.

        A ceiling made of other patients' answers is too low where there are few of them.
        """
        if expected is None or truth is None or informed is None:
            return expected
        is_exceeded = informed > expected if self.higher_is_better else informed < expected
        return truth if is_exceeded else expected

    def _floor_test(self, floor: str) -> FloorTest | None:
        sums = self.expected[floor].sums
        # The metric itself and not this wrapper of it: the test asks it for its classes and its bounds.
        with blamed("metric", self.spec.name):
            return tested_against_floor(self.metric, self.sums, sums) if sums else None


class Expectation:
    """The statistics of a mixture of answers at its expectation: of all items, and where wanted of each patient."""

    def __init__(self, keeps_patients: bool) -> None:
        self.sums = PatientSums() if keeps_patients else None
        self._totals = np.zeros(0)

    @property
    def totals(self) -> Array:
        """The weighted sum of the statistics."""
        return self.sums.totals if self.sums else self._totals

    def add(self, parts: Iterable[tuple[Array, Array]], references: Sequence[Reference], *, is_whole: bool) -> None:
        """Add rows (n, k) of each answer of the mixture to some more items, with their weights (n,).

        ``is_whole`` adds the answers to an item up first, so that the sums do not depend on how many items come at a
        time. Of all items at once, where it makes no difference, that would take too much memory.
        """
        for rows, weights in [mixed(parts)] if is_whole else parts:
            for start in range(0, len(rows), _ADDED):
                some = slice(start, start + _ADDED)
                weighted = rows[some] * weights[some, None]
                if self.sums is None:
                    self._totals = add_rows(self._totals, weighted)
                else:
                    self.sums.add(weighted, [reference.cluster for reference in references[some]])
            # Rows of all items at once are large: those of the next answer are made when these are gone.
            del rows, weights


@dataclass
class _Coverage:
    """The items that a metric is about, those of its subject whose truth somebody could tell, and how they ended.

    ``lost`` counts those without a value, by reason, and those that miss some of their windows. A metric may have a
    method ``left_out(reference)`` that gives the reason for which an item cannot be scored whatever is answered: such
    items are no part of ``items`` and are counted as "left out". Its ``unread(pair)`` may give the reason that an
    answer cannot be read by it: it scores as wrong and is counted.
    """

    subject: str
    judged: Judged | None
    metric: Metric
    items: int = 0
    answered: int = 0
    patients: set[int] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, pairs: Sequence[Pair]) -> None:
        """Count some more."""
        told = judged_pairs(pairs, self.judged) if self.judged else pairs
        about = [p for p in told if self.subject in ("", p.reference.subject) and not _untested(p.reference.truth)]
        scored = [pair for pair in about if not self._is_left_out(pair.reference)]
        self.items += len(scored)
        unread = getattr(self.metric, "unread", None)
        reasons = [unread(pair) for pair in scored] if unread else [""] * len(scored)
        self.answered += sum(pair.is_answered and not reason for pair, reason in zip(scored, reasons, strict=True))
        self.patients |= {pair.reference.cluster for pair in scored}
        self.lost.update(p.prediction.status for p in scored if p.prediction.status != "answered")
        self.lost.update(filter(None, reasons))

    def _is_left_out(self, reference: Reference) -> bool:
        left_out = getattr(self.metric, "left_out", None)
        reason = left_out(reference) if left_out else ""
        self.lost.update([f"left out: {reason}"] if reason else [])
        return bool(reason)


def _untested(truth: object) -> bool:
    return truth == "untested" or (isinstance(truth, Mapping) and truth.get("present") == "untested")


def _best_floor(
    floors: Mapping[str, float | None], ceiling: float | None, offered: Answerers, higher_is_better: bool
) -> tuple[float | None, str]:
    """The trivial answerer with the highest score, or, of errors, which may be signed, the one nearest to the ceiling.

    Of equals it is the one that spreads its answers most, a coin before a constant: the paired test against a constant
    is dominated by which patients the constant happens to be right about. Then it is the first.
    """
    defined = {name: value for name, value in floors.items() if value is not None}
    if not defined or ceiling is None:
        return None, ""
    distance = {
        name: round(-value if higher_is_better else abs(ceiling - value), _DIGITS) for name, value in defined.items()
    }
    best = min(distance, key=lambda name: (distance[name], -len(offered.floors[name].mixture)))
    return defined[best], best


def _interval(measured: _Measured, resamples: int, seed: int) -> IntervalResult:
    """The interval of a score, or the reason why there is none."""
    with blamed("metric", measured.spec.name):
        return patient_interval(measured.metric, measured.sums.by_patient(), resamples=resamples, seed=seed)


def _number(value: Array | float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
