"""Detection of seizures in whole recordings, as SzCORE defines it (Dan et al., Epilepsia 2024, doi:10.1111/epi.18113).

*Events*: of truth and of answer alike, events less than 90 s apart are merged and events longer than 5 min are split. A
seizure is detected if more than ``min_overlap`` of it, extended by 30 s before and 60 s after, is covered by answered
events; an answered event that touches no detected, extended seizure is a false alarm. *Samples*: the recording second
by second. The counts of all recordings are added up before a score is formed of them.

The counts equal those of the library ``timescoring`` 0.0.7 of the framework's authors (``tests/metrics``). What they
leave open is settled here: overlapping answers are united first, and the time of which there is no answer has no
seizure detected and false alarms throughout, so that giving up never pays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from s3harness.errors import SpecError
from s3harness.metrics.base import Array, Bounds, Pair, safe_ratio
from s3harness.spans import Span, spans_of, union, within

EVENTS_HZ, SAMPLES_HZ = 10, 1
"""Resolution at which events and samples are compared."""
DAY_S = 86_400.0
_ROUNDING = 1e-6

Level = Literal["events", "samples"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """The rules by which events are compared; times in seconds, ``min_overlap`` as a share of the extended seizure."""

    before_s: float = 30.0
    after_s: float = 60.0
    min_overlap: float = 0.0
    merge_s: float = 90.0
    split_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Positives of the truth, true and false positives: events, or seconds where samples are compared."""

    true: int
    hits: int
    false: int


def count_events(truth: Sequence[Span], answer: Sequence[Span], duration_s: float, rules: EventRules) -> Counts:
    """Compare two lists of ascending, disjoint spans event by event."""
    seizures, alarms = (_split(_merge(spans, rules.merge_s), rules.split_s) for spans in (truth, answer))
    samples = round(duration_s * EVENTS_HZ)
    alarm_ticks = [_ticks(alarm, EVENTS_HZ, samples) for alarm in alarms]
    detected = []
    for start, end in seizures:
        extended = max(0.0, start - rules.before_s), min(samples / EVENTS_HZ, end + rules.after_s)
        ticks = _ticks(extended, EVENTS_HZ, samples)
        covered_s = sum(_shared(alarm, ticks) for alarm in alarm_ticks) / EVENTS_HZ
        if covered_s / (extended[1] - extended[0]) > rules.min_overlap + _ROUNDING:
            detected.append(ticks)
    false = sum(not any(_shared(alarm, around) for around in detected) for alarm in alarm_ticks)
    return Counts(len(seizures), len(detected), false)


def count_samples(truth: Sequence[Span], answer: Sequence[Span], duration_s: float) -> Counts:
    """Compare two lists of ascending, disjoint spans second by second."""
    samples = round(duration_s * SAMPLES_HZ)
    seizures, alarms = ([_ticks(span, SAMPLES_HZ, samples) for span in spans] for spans in (truth, answer))
    hits = sum(_shared(seizure, alarm) for seizure in seizures for alarm in alarms)
    true, alarmed = (sum(end - start for start, end in ticks) for ticks in (seizures, alarms))
    return Counts(true, hits, alarmed - hits)


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One score of the counts of all recordings: ``sensitivity``, ``precision``, ``f1`` or ``false_alarms``."""

    score: Literal["sensitivity", "precision", "f1", "false_alarms"]
    level: Level = "events"
    rules: EventRules = EventRules()
    by_video: ClassVar[bool] = True

    @property
    def higher_is_better(self) -> bool:
        """Return whether a larger value is a better one."""
        return self.score != "false_alarms"

    @property
    def unit(self) -> str:
        """The unit of the value."""
        return "" if self.score != "false_alarms" else "per 24 h"

    @property
    def bounds(self) -> Bounds:
        """The lowest and the highest score."""
        return (0.0, 1.0) if self.score != "false_alarms" else (0.0, math.inf)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the recordings of each patient, and the seizures where the score needs them."""
        seizures = {"seizure": sums[:, 1]} if self.score in ("sensitivity", "f1") else {}
        return seizures or {"": sums[:, 0]}

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (1, true, hits, false, days) of each recording; shape (n, 5)."""
        return np.array([self._row(pair) for pair in pairs], np.float64).reshape(-1, 5)

    def value(self, totals: Array) -> Array:
        """Return the score; NaN where there is neither a seizure nor an alarm that it could be of."""
        true, hits, false, days = (totals[..., column] for column in range(1, 5))
        if self.score == "false_alarms":
            return safe_ratio(false, days)
        if self.score == "f1":
            return safe_ratio(2 * hits, hits + true + false)
        return safe_ratio(hits, true if self.score == "sensitivity" else hits + false)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return the counts that the score is formed of."""
        names = ("recordings", "true", "hits", "false", "days")
        return {name: float(value) for name, value in zip(names, totals, strict=True)}

    def _row(self, pair: Pair) -> tuple[float, ...]:
        truth, duration_s = _truth(pair)
        counts = self._counts(truth, answered_spans(pair), duration_s)
        # Counted apart: an alarm of the answer that met one of these would be one alarm less.
        unanswered = self._counts(truth, unanswered_spans(pair), duration_s)
        return 1.0, counts.true, counts.hits, counts.false + unanswered.false, duration_s / DAY_S

    def _counts(self, truth: Sequence[Span], answer: Sequence[Span], duration_s: float) -> Counts:
        if self.level == "samples":
            return count_samples(truth, answer, duration_s)
        return count_events(truth, answer, duration_s, self.rules)


@dataclass(frozen=True, kw_only=True)
class DetectionLatency:
    """Mean seconds from the onset of a seizure to the first moment of it that an answer covers.

    Alarms from 30 s before the onset to 60 s after the offset count, and before the onset they are no late ones. A
    seizure that none covers costs the time from its onset to the end of that span. To be read beside the false alarms:
    who always alarms is never late.
    """

    rules: EventRules = EventRules()
    higher_is_better: bool = False
    unit: str = "s"
    by_video: ClassVar[bool] = True
    bounds: ClassVar[Bounds] = (0.0, math.inf)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the seizures of each patient."""
        return {"seizure": sums[:, 1]}

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (seconds, seizures) of each recording; shape (n, 2)."""
        return np.array([self._row(pair) for pair in pairs], np.float64).reshape(-1, 2)

    def value(self, totals: Array) -> Array:
        """Return the mean over seizures."""
        return safe_ratio(totals[..., 0], totals[..., 1])

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return no parts."""
        return {}

    def _row(self, pair: Pair) -> tuple[float, float]:
        truth, duration_s = _truth(pair)
        answer = answered_spans(pair)
        return sum(self._late_s(seizure, answer, duration_s) for seizure in truth), len(truth)

    def _late_s(self, seizure: Span, answer: Sequence[Span], duration_s: float) -> float:
        onset, offset = seizure
        last = min(offset + self.rules.after_s, duration_s)
        alarms = within(answer, max(0.0, onset - self.rules.before_s), last)
        return max(0.0, alarms[0][0] - onset) if alarms else last - onset


def detection(*, score: str, level: str = "events", **rules: float) -> Detection:
    """Return a score of the detection of seizures; raise :class:`SpecError` for an unknown score, level or rule."""
    if score not in ("sensitivity", "precision", "f1", "false_alarms") or level not in ("events", "samples"):
        raise SpecError(f"metrics: detection has no score {score!r} of {level!r}")
    return Detection(score=score, level=level, rules=EventRules(**rules))  # type: ignore[arg-type]


def detection_latency(**rules: float) -> DetectionLatency:
    """Return the mean latency of the detection of seizures in seconds, misses penalised."""
    return DetectionLatency(rules=EventRules(**rules))


def answered_spans(pair: Pair) -> list[Span]:
    """Return the answered seizures within the recording, ascending and disjoint; none without a usable answer."""
    value = pair.prediction.value
    spans = spans_of(value.get("seizures") if isinstance(value, Mapping) else value) or []
    return within(union(spans), 0.0, _truth(pair)[1])


def unanswered_spans(pair: Pair) -> list[Span]:
    """Return the time of the recording of which there is no answer, ascending and disjoint.

    A prediction is a list of spans, which answers for all of the recording, or an object with ``seizures`` and the time
    that was ``seen``; anything else is no answer.
    """
    value, duration_s = pair.prediction.value, _truth(pair)[1]
    seen = spans_of(value.get("seen")) if isinstance(value, Mapping) else None
    if seen is None:
        return [] if spans_of(value) is not None else [(0.0, duration_s)]
    edges = [0.0, *(edge for span in within(union(seen), 0.0, duration_s) for edge in span), duration_s]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start > _ROUNDING]


def _truth(pair: Pair) -> tuple[list[Span], float]:
    """Seizures, ascending and disjoint, and the length of the recording in seconds."""
    truth: Any = pair.reference.truth
    duration_s = float(truth["duration_s"])
    return within(union(spans_of(truth["seizures"]) or []), 0.0, duration_s), duration_s


def _merge(spans: Sequence[Span], gap_s: float) -> list[Span]:
    """Return spans with gaps shorter than ``gap_s`` filled: a gap of exactly that length stays."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start - merged[-1][1] < gap_s:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _split(spans: Sequence[Span], longest_s: float) -> list[Span]:
    pieces: list[Span] = []
    for first, end in spans:
        start = first
        # One after the other, as timescoring does: a product would round differently.
        while end - start > longest_s:
            pieces.append((start, start + longest_s))
            start += longest_s
        pieces.append((start, end))
    return pieces


def _ticks(span: Span, hertz: int, samples: int) -> tuple[int, int]:
    """First sample of a span and the one after its last."""
    return min(round(span[0] * hertz), samples), min(round(span[1] * hertz), samples)


def _shared(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
