r"""Contract of a metric as a test: promises of any ranking metric, tried on answerers that must score low or high.

    violations = check_metric("my_f1", "feature")
    assert not violations, "\n".join(map(str, violations))

The metric scores a made-up cohort as answered by one who watched and errs, by the truth itself, by dozens of degenerate
answerers (:mod:`s3harness.testing.answerers`), and by readers of rising skill (:mod:`s3harness.testing.readers`).
:data:`PROMISES` lists its promises. A number that informs and ranks nobody (a bias, a rate of duplicates, a
sensitivity) may break some of them, which are then documented.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Literal, cast

import numpy as np

from s3harness.errors import UsageError, suggest
from s3harness.metrics.base import Array, Metric, Pair
from s3harness.metrics.floors import oracle
from s3harness.plugins.manager import load
from s3harness.stats import cluster_sums
from s3harness.testing.answerers import degenerate, error, honest, unanswered
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.testing.monotone import beaten_readers, not_rising
from s3harness.types import Prediction, Reference

Promise = Literal[
    "honest wins",
    "readers win",
    "monotone",
    "truth is best",
    "bounds",
    "order",
    "failing",
    "giving up",
    "defined",
    "form",
    "raises",
]

PROMISES: Mapping[Promise, str] = {
    "honest wins": "no degenerate answerer scores as well as an honest one that errs",
    "readers win": "a reader who looked, cautious or bold, scores better than one who did not",
    "monotone": "a reader who sees more, or is nearer to the truth, scores better",
    "truth is best": "nothing scores better than the truth, which scores 1, 100 points, or an error of 0",
    "bounds": "a proportion or correlation lies in −1 to 1, points in 0 to 100, anything else is finite",
    "order": "the order of the pairs does not matter",
    "failing": "leaving out the answers that are most wrong does not raise a score",
    "giving up": "no answer scores worse than no answer at all",
    "defined": "a reader who answers every item gets a score",
    "form": "rows are finite, one per pair, the same without other videos if the metric says that it goes by video; "
    "sums of rows give the score, for any leading shape, also of no pairs",
    "raises": "no answer raises an error",
}
"""Promise → what it says."""

CENTRED = "boundary_centred"
"""Boundaries in clips cut around the moment that is asked for, as published: a defect of the clips, not of a metric."""
KINDS = ("feature", "rationale", "laterality", "boundary", CENTRED, "sequence", "report", "diagnosis")
"""The kinds of items there are made-up cases of."""
VIDEOS: Mapping[str, int] = {"rationale": 30, "report": 30}
"""How many videos the cohort has where texts are read, which takes time; :data:`VIDEOS_OTHERWISE` elsewhere."""
VIDEOS_OTHERWISE = 60
LOST = (0.05, 0.1, 0.2, 0.4)
"""Shares of the answers, the most wrong ones, that fail."""

_BOUNDS = {"": (-1.0, 1.0), "points": (0.0, 100.0)}
# Sums of floats in another order differ in their last digits.
_ROUNDING = 1e-9
_HONEST, _TRUTH, _NOTHING = "honest", "truth", "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A promise that a metric broke: for which answerer, with which score, against which limit."""

    metric: str
    kind: str
    promise: Promise
    answerer: str
    score: float
    limit: float
    note: str = ""

    def __str__(self) -> str:
        """Return the violation as one sentence."""
        numbers = f"{self.score:.4g} against {self.limit:.4g}" if math.isfinite(self.limit) else f"{self.score:.4g}"
        note = f" ({self.note})" if self.note else ""
        return f"{self.metric} of {self.kind}: {PROMISES[self.promise]}, but {self.answerer!r} scores {numbers}{note}"


def check_metric(
    metric: str | Callable[..., Metric], kind: str, /, *, seed: int = 0, **params: object
) -> list[Violation]:
    """Return the promises that a metric breaks on one kind of items; none for a sound metric.

    ``metric`` is a registered name or a constructor, ``kind`` one of :data:`KINDS`; ``params`` go to the constructor.
    ``seed`` draws another cohort. Raises :class:`UsageError` for an unknown metric or kind.
    """
    make = cast("Callable[..., Metric]", load("metric", metric)) if isinstance(metric, str) else metric
    if kind not in KINDS:
        raise UsageError(f"there are no made-up items of kind {kind!r}{suggest(kind, KINDS)}")
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", repr(metric))
    label = ", ".join([name, *(f"{key}={value}" for key, value in params.items())])
    return list(_MetricTrial(label, kind, lambda: make(**params), _cases(kind, seed)).violations())


@dataclass(frozen=True)
class _Cases:
    """References of one kind of items, and the predictions of every answerer."""

    references: Sequence[Reference]
    answerers: Mapping[str, Sequence[Prediction]]
    degenerate: Sequence[str]

    def pairs(self, answerer: str) -> list[Pair]:
        return [Pair(r, p) for r, p in zip(self.references, self.answerers[answerer], strict=True)]


@dataclass
class _MetricTrial:
    """Trial of one metric on one set of cases; each score is computed once."""

    metric: str
    kind: str
    make: Callable[[], Metric]
    cases: _Cases
    scores: dict[str, float] = field(default_factory=dict)

    def violations(self) -> Iterator[Violation]:
        """Yield the broken promises in the order of :data:`PROMISES`; only "raises" without an honest score."""
        raised = list(self._score_all())
        yield from raised
        # Every other promise is compared with the honest score.
        if any(violation.answerer == _HONEST for violation in raised):
            return
        # _failing adds scores of its own, which _bounds must not see and _defined must.
        for check in (
            self._honest_wins,
            self._readers_win,
            self._monotone,
            self._truth_is_best,
            self._bounds,
            self._order,
            self._failing,
            self._giving_up,
            self._defined,
            self._form,
        ):
            yield from check()

    def _score_all(self) -> Iterator[Violation]:
        for name in self.cases.answerers:
            try:
                # A new metric for each answerer, lest one that keeps state carries it over.
                self.scores[name] = score(self.make(), self.cases.pairs(name))
            except Exception as problem:
                # One violation per answerer: others may still score.
                yield self._violation("raises", name, note=f"{type(problem).__name__}: {problem}")

    def _honest_wins(self) -> Iterator[Violation]:
        for name in self.cases.degenerate:
            if not self._is_worse(name, self.scores[_HONEST]):
                yield self._violation("honest wins", name, self.scores[_HONEST])

    def _readers_win(self) -> Iterator[Violation]:
        if self.kind != CENTRED:
            for one in beaten_readers(self.make, self.kind):
                note = f"the {one.better} has less"
                yield self._violation("readers win", one.worse, one.score, note, one.worse_score)

    def _monotone(self) -> Iterator[Violation]:
        if self.kind != CENTRED:
            for one in not_rising(self.make, self.kind):
                note = f"the lower level is {one.worse}"
                yield self._violation("monotone", one.better, one.worse_score, note, one.score)

    def _truth_is_best(self) -> Iterator[Violation]:
        metric = self.make()
        # Of another unit, where more is better, the best is not known: NaN compares as no violation.
        best = _BOUNDS.get(metric.unit, (0.0, math.nan))[1] if metric.higher_is_better else 0.0
        if abs(self.scores.get(_TRUTH, math.nan) - best) > _ROUNDING:
            yield self._violation("truth is best", _TRUTH, best)
        for name in (_HONEST, *self.cases.degenerate):
            if self._is_better(name, self.scores.get(_TRUTH, math.nan)):
                yield self._violation("truth is best", name, self.scores[_TRUTH])

    def _bounds(self) -> Iterator[Violation]:
        low, high = _BOUNDS.get(self.make().unit, (-math.inf, math.inf))
        for name, value in self.scores.items():
            if value < low - _ROUNDING or value > high + _ROUNDING or math.isinf(value):
                yield self._violation("bounds", name, low if value < low else high)

    def _order(self) -> Iterator[Violation]:
        pairs = self.cases.pairs(_HONEST)
        shuffled = score(self.make(), Random(0).sample(pairs, len(pairs)))
        if not math.isclose(shuffled, self.scores[_HONEST], rel_tol=1e-9, abs_tol=_ROUNDING):
            yield self._violation("order", _HONEST, shuffled)

    def _failing(self) -> Iterator[Violation]:
        pairs = self.cases.pairs(_HONEST)
        # The worst first: a metric that drops failed answers rewards whoever stays silent where he is unsure.
        worst = sorted(range(len(pairs)), key=lambda n: -error(pairs[n].reference, pairs[n].prediction))
        for share in LOST:
            # Rounded up, so that even a small cohort loses an answer.
            failed = set(worst[: math.ceil(share * len(pairs))])
            remaining = [Pair(p.reference, unanswered(p.prediction)) if n in failed else p for n, p in enumerate(pairs)]
            name = f"honest, the worst {share:.0%} left out"
            self.scores[name] = score(self.make(), remaining)
            if self._is_better(name, self.scores[_HONEST]):
                yield self._violation("failing", name, self.scores[_HONEST])

    def _giving_up(self) -> Iterator[Violation]:
        for name in (_HONEST, *self.cases.degenerate):
            if self._is_better(_NOTHING, self.scores.get(name, math.nan)):
                yield self._violation("giving up", name, self.scores[_NOTHING])

    def _defined(self) -> Iterator[Violation]:
        for name, value in self.scores.items():
            # Undefined is right where an answer is missing, as of a mean over no pairs.
            if math.isnan(value) and all(p.value is not None for p in self.cases.answerers.get(name, ())):
                yield self._violation("defined", name)

    def _form(self) -> Iterator[Violation]:
        pairs = self.cases.pairs(_HONEST)
        try:
            note = _wrong_form(self.make(), pairs, self.scores[_HONEST])
        except Exception as problem:
            note = f"{type(problem).__name__}: {problem}"
        if note:
            yield self._violation("form", _HONEST, note=note)

    def _is_better(self, name: str, limit: float) -> bool:
        """Return True if a score is better than a limit; False where one of them is undefined."""
        sign = 1.0 if self.make().higher_is_better else -1.0
        return sign * (self.scores.get(name, math.nan) - limit) > _ROUNDING

    def _is_worse(self, name: str, limit: float) -> bool:
        """Return True if a score is worse than a limit, or undefined, as where nothing was answered."""
        value = self.scores.get(name, math.nan)
        sign = 1.0 if self.make().higher_is_better else -1.0
        return math.isnan(value) or sign * (limit - value) > _ROUNDING

    def _violation(
        self, promise: Promise, answerer: str, limit: float = math.nan, note: str = "", score: float | None = None
    ) -> Violation:
        # Readers are scored over several cohorts, and come with their own score.
        return Violation(
            metric=self.metric,
            kind=self.kind,
            promise=promise,
            answerer=answerer,
            score=self.scores.get(answerer, math.nan) if score is None else score,
            limit=limit,
            note=note,
        )


def score(metric: Metric, pairs: Sequence[Pair]) -> float:
    """Score of the pairs: the metric's value of the sum of their rows."""
    return float(metric.value(metric.statistics(pairs).sum(axis=0)))


@lru_cache(maxsize=len(KINDS))
def _cases(kind: str, seed: int) -> _Cases:
    items = kind.removesuffix("_centred")
    placement: Literal["jittered", "centred"] = "centred" if kind == CENTRED else "jittered"
    references = references_of(
        items, made_up_videos(VIDEOS.get(items, VIDEOS_OTHERWISE), seed=seed), placement=placement, seed=seed
    )
    # Cached per kind and seed: the cases take longer than the scoring, and every metric of a kind shares them.
    bad = degenerate(items, references, seed=seed)
    good = {_HONEST: honest(items, references, seed=seed), _TRUTH: oracle(references)}
    nothing = {_NOTHING: [unanswered(prediction) for prediction in good[_HONEST]]}
    return _Cases(references, good | nothing | bad, (_NOTHING, *bad))


def _wrong_form(metric: Metric, pairs: Sequence[Pair], expected: float) -> str:
    """Describe the fault in the arrays of a metric; "" if there is none."""
    rows = metric.statistics(pairs)
    if rows.ndim != 2 or len(rows) != len(pairs) or not np.isfinite(rows).all():
        return f"statistics of {len(pairs)} pairs have shape {rows.shape}, or hold what is not finite"
    if getattr(metric, "by_video", False) and not _goes_by_video(metric, pairs, rows):
        return "by_video is True, but rows of some videos are others without the rest"
    # Bootstrap resamples are stacked in leading dimensions: values must not mix them.
    half, whole = rows[: len(rows) // 2].sum(axis=0), rows.sum(axis=0)
    stacked = metric.value(np.array([[whole, half], [np.zeros_like(whole), whole]]))
    if stacked.shape != (2, 2):
        return f"value of totals of shape (2, 2, k) has shape {stacked.shape}, not (2, 2)"
    if not np.allclose([stacked[0, 0], stacked[1, 1]], expected, equal_nan=True):
        return "value of several totals at once differs from that of one"
    # A bootstrap sample without such items must not count as one with a score.
    if not math.isnan(nothing := float(metric.value(metric.statistics([]).sum(axis=0)))):
        return f"no pairs score {nothing:.4g}; without anything to score there is no score"
    strange = [name for name, value in metric.parts(whole).items() if not isinstance(value, float)]
    problem = f"parts that are no numbers: {', '.join(strange)}" if strange else ""
    return problem or _wrong_options(metric, pairs, rows, expected)


def _wrong_options(metric: Metric, pairs: Sequence[Pair], rows: Array, expected: float) -> str:
    """Describe the fault in the optional ``bounds`` and ``support`` of a metric; "" if there is none."""
    low, high = getattr(metric, "bounds", None) or (-math.inf, math.inf)
    # Intervals are clipped to these bounds, so that a score beyond them would be outside of its own interval.
    if expected < low or expected > high:
        return f"a score of {expected:.4g} is beyond the bounds {low:g} and {high:g}"
    sums = cluster_sums(rows, [pair.reference.cluster for pair in pairs])
    classes = metric.support(sums) if hasattr(metric, "support") else {}
    wrong = [name for name, items in classes.items() if np.shape(items) != (len(sums),) or np.any(np.less(items, 0))]
    return f"support of {', '.join(wrong)} is not a count of items of each of {len(sums)} patients" if wrong else ""


def _goes_by_video(metric: Metric, pairs: Sequence[Pair], rows: Array) -> bool:
    """Return True if every other video has the same rows (n, k) by itself."""
    # Every other one: a metric that borrows from neighbours differs without them.
    videos = set(list(dict.fromkeys(pair.reference.video_id for pair in pairs))[::2])
    chosen = [number for number, pair in enumerate(pairs) if pair.reference.video_id in videos]
    alone = metric.statistics([pairs[number] for number in chosen])
    return alone.shape == rows[chosen].shape and np.allclose(alone, rows[chosen])
