"""Predictions → scores: every metric with its floor, its ceiling, its coverage and its interval."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cache, partial
from typing import Any, cast

import numpy as np

from s3harness.confidence_intervals import IntervalResult, patient_interval
from s3harness.errors import SpecError
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.floors import answerers, mixed, truth_of
from s3harness.metrics.one_class import ClassCoverage
from s3harness.metrics.trivial_answerers import Answerers, Mixture, Say, certain
from s3harness.plugins.manager import blamed, load
from s3harness.scoring.above_floor import corrected, tested_against_floor
from s3harness.scoring.judging.judge import Judged, judged_metric, judged_pairs
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.stats import PatientSums, add_rows
from s3harness.types import FloorTest, Prediction, Reference, Score

RESAMPLES = 2000
SEED = 0
RQI = "rqi"
"""The metric that reads reports, by rules or by a judge."""
_CEILING, _TRUTH, _READER = "ceiling", "truth", "reader"
"""Names, among those of the trivial answerers, of the best answers to be expected, the truth, and the reader."""
_DIGITS = 12
"""Decimals to which floors count as equal: sums of the same numbers in another order differ in the 14th or so."""
_ADDED = 1024
"""Rows added at once."""


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
    """Return the scores of one task, in the order of its metrics; none if the task has no items.

    ``judged`` are a judge's readings of the reports, by which the Seizure-RQI is then scored. ``training`` are the
    items of a training split, of other patients, which the floors are then fitted on; without it each patient's floors
    are fitted on the other patients. An item without an answer is scored as wrong, also where none has one. The floor
    test is corrected over the primary metrics of this task; of several tasks by :func:`.floor_test.corrected`.
    """
    if not references:
        return []
    scorer = TaskScorer(spec, references, judged, training)
    scorer.add([Pair(reference, prediction) for reference, prediction in zip(references, predictions, strict=True)])
    return scorer.scores(resamples, seed)


class TaskScorer:
    """Scores of one task, from pairs that are added in parts, those of a video together.

    Pairs go into the sums of their patients and are not kept, except for metrics that compare all pairs. ``references``
    are those of all pairs, and are iterated once; ``judged`` and ``training`` are as in :func:`score_task`.
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
        # Metrics that compare all pairs, as an area under a curve does, cannot be summed video by video.
        self._held: list[Pair] = []
        self._classes = ClassCoverage()

    def add(self, pairs: Sequence[Pair]) -> None:
        """Add pairs."""
        self._classes.add(pair.reference for pair in pairs)
        self._add([one for one in self._measured if one.by_video], pairs)
        if self._comparing:
            self._held += [_slim(pair) for pair in pairs]

    def scores(self, resamples: int = RESAMPLES, seed: int = SEED) -> list[Score]:
        """Return the scores of all pairs added, in the order of the metrics; nothing can be added afterwards."""
        self._add(self._comparing, self._held)
        scores = [one.score(self._answerers, resamples, seed) for one in self._measured]
        with_warnings = [
            replace(score, warning=self._classes.warning(one.task, one.subject)) if score.n_items else score
            for one, score in zip(self._measured, scores, strict=True)
        ]
        return corrected(with_warnings)

    def _add(self, measured: Sequence[_Measured], pairs: Sequence[Pair]) -> None:
        """Add pairs, and for the same items the truth and the answers of every trivial answerer."""
        for one in measured:
            one.add(pairs)
        references = [pair.reference for pair in pairs] if measured else []
        if not references:
            return
        weights = {id(weigh): weigh(references) for _, mixture in self._mixtures() for _, weigh in mixture}
        # All metrics share the answers of an answerer. Where all pairs come at once, that would take more memory than
        # the pairs themselves, and they are made anew for each.
        remember = _uncached if measured[0] in self._comparing else cache
        pairs_of = remember(lambda part: [Pair(r, self._says[part](r)) for r in references])
        for one in measured:
            rows = remember(partial(_rows, one, pairs_of))
            for name, mixture in self._mixtures():
                if name == _TRUTH and not one.has_ceiling:
                    continue
                parts = ((rows(part), weights[id(weigh)]) for part, weigh in mixture)
                one.expectation(name).add(parts, references, is_whole=one not in self._comparing)

    def _mixtures(self) -> list[tuple[str, Mixture]]:
        """Return the ceiling, the truth, each floor and the simulated reader, as mixtures of answers."""
        reader = self._answerers.reader
        return [
            (_CEILING, [(_CEILING, certain)]),
            (_TRUTH, [(_TRUTH, certain)]),
            *((name, floor.mixture) for name, floor in self._answerers.floors.items()),
            *([(_READER, reader.mixture)] if reader else []),
        ]


def _rows(measured: _Measured, pairs_of: Callable[[str], Sequence[Pair]], part: str) -> Array:
    pairs = pairs_of(part)
    return measured.statistics(measured.at_ceiling(pairs) if part == _CEILING else pairs)


def _uncached(function: Callable[[str], Any]) -> Callable[[str], Any]:
    return function


def _read_by_rules(offered: Answerers, judged: Judged | None) -> Answerers:
    """Return the answerers, without the simulated reader where a judge reads."""
    # The judge has not read the simulated reader's reports.
    return replace(offered, reader=None) if judged else offered


def _slim(pair: Pair) -> Pair:
    """Return a pair without the parts that no metric uses: the requests, and the note on the reading."""
    # These pairs stay in memory until all of them are scored.
    return Pair(replace(pair.reference, requests=()), replace(pair.prediction, note=""))


def build_metric(task: str, spec: MetricSpec) -> Metric:
    """Return the metric of a spec with its parameters; raise :class:`SpecError` if it does not take them."""
    make = cast("Callable[..., Metric]", load("metric", spec.name))
    try:
        with blamed("metric", spec.name):
            return make(**spec.params)
    except TypeError as error:
        raise SpecError(f"{task}: metric {spec.name!r}: {error}") from error


class _Measured:
    """One metric of a task with its counts and sums; an exception of the metric names the metric."""

    def __init__(self, task: str, spec: MetricSpec, judged: Judged | None) -> None:
        # Only the Seizure-RQI reads structures; text metrics compare the words.
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
        """Return the best answers to be expected: the true ones, unless the metric defines others."""
        ceiling = getattr(self.metric, "ceiling", None)
        if ceiling is None:
            return true
        with blamed("metric", self.spec.name):
            say: Say = ceiling([pair.reference for pair in true])
            return [Pair(pair.reference, say(pair.reference)) for pair in true]

    def add(self, pairs: Sequence[Pair]) -> None:
        """Add answered pairs."""
        self.coverage.add(pairs)
        self.sums.add(self.statistics(pairs), [pair.reference.cluster for pair in pairs])

    def expectation(self, name: str) -> Expectation:
        """Return the accumulated expectation of a mixture of answers, which is empty at first."""
        # Sums by patient cost memory; only the test of a primary metric against its floors needs them.
        if name not in self.expected:
            self.expected[name] = Expectation(self.spec.primary and name not in (_CEILING, _TRUTH, _READER))
        return self.expected[name]

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return the metric's statistics of pairs, a row each."""
        with blamed("metric", self.spec.name):
            return self.metric.statistics(pairs)

    def value(self, totals: Array) -> Array:
        """Return the metric's scores of sums of statistics."""
        with blamed("metric", self.spec.name):
            return self.metric.value(totals)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return the parts of the metric's score."""
        with blamed("metric", self.spec.name):
            return self.metric.parts(totals)

    def score(self, offered: Answerers, resamples: int, seed: int) -> Score:
        """Return the score of all pairs added, with the scores of the truth and of the trivial answerers."""
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
            # JSON has no NaN.
            parts={name: value for name, value in parts.items() if math.isfinite(value)},
            floor_test=self._floor_test(best) if best and value is not None else None,
            informed=informed,
            informed_name=offered.reader.name if offered.reader and informed is not None else "",
        )

    def _ceiling(self, expected: float | None, truth: float | None, informed: float | None) -> float | None:
        """Return the metric's own ceiling, or the score of the truth if a noisy reader is above that ceiling."""
        # A ceiling made of other patients' answers is too low where there are few patients.
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
    """Expected statistics of a mixture of answers, summed over all items and, if wanted, by patient."""

    def __init__(self, keeps_patients: bool) -> None:
        self.sums = PatientSums() if keeps_patients else None
        self._totals = np.zeros(0)

    @property
    def totals(self) -> Array:
        """Weighted sum of the statistics."""
        return self.sums.totals if self.sums else self._totals

    def add(self, parts: Iterable[tuple[Array, Array]], references: Sequence[Reference], *, is_whole: bool) -> None:
        """Add the rows (n, k) of each answer of the mixture, with their weights (n,), for n more items.

        ``is_whole`` sums the answers of an item first.
        """
        # Summed by item first, the totals do not depend on how the items were divided into parts. Where all items come
        # at once that makes no difference, and would take too much memory.
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
    """Counts of the items that a metric scores: those of its subject with a known truth.

    ``lost`` counts items without a value, by reason, and items that miss some of their windows. A metric may have a
    method ``left_out(reference)`` that returns the reason for which an item cannot be scored whatever the answer: such
    items are not in ``items`` and are counted as "left out". Its ``unread(pair)`` may return the reason for which it
    cannot read an answer: the answer scores as wrong and is counted.
    """

    subject: str
    judged: Judged | None
    metric: Metric
    _: KW_ONLY
    items: int = 0
    answered: int = 0
    patients: set[int] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)

    def add(self, pairs: Sequence[Pair]) -> None:
        """Count pairs."""
        readable = judged_pairs(pairs, self.judged) if self.judged else pairs
        about = [p for p in readable if self.subject in ("", p.reference.subject) and not _untested(p.reference.truth)]
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
    """Return value and name of the best trivial answerer: the highest score, or the error nearest to the ceiling."""
    # Of equals the one that spreads its answers most, a coin before a constant: the paired test against a constant is
    # dominated by which patients the constant happens to be right about.
    defined = {name: value for name, value in floors.items() if value is not None}
    if not defined or ceiling is None:
        return None, ""
    distance = {
        name: round(-value if higher_is_better else abs(ceiling - value), _DIGITS) for name, value in defined.items()
    }
    # min takes the first of equals: the order of the answerers decides what is left of a tie.
    best = min(distance, key=lambda name: (distance[name], -len(offered.floors[name].mixture)))
    return defined[best], best


def _interval(measured: _Measured, resamples: int, seed: int) -> IntervalResult:
    """Return the interval of a score, or the reason why there is none."""
    with blamed("metric", measured.spec.name):
        return patient_interval(measured.metric, measured.sums.by_patient(), resamples=resamples, seed=seed)


def _number(value: Array | float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
