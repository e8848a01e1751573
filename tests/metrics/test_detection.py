"""Detection metrics: equal to the framework's own library, and what they say of answers computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring, SampleScoring

from s3harness.metrics.base import Pair
from s3harness.metrics.detection import Detection, EventRules, detection, detection_latency
from s3harness.types import Prediction, Reference

Spans = list[tuple[float, float]]
SCORES = {"sensitivity": "sensitivity", "precision": "precision", "f1": "f1", "false_alarms": "fpRate"}
HOUR_S = 3600.0


def test_one_thousand_random_recordings_score_as_in_timescoring() -> None:
    random = Random(20)
    compared = 0
    for _ in range(1000):
        duration_s = round(random.choice((600, 3600, 7200)) * random.uniform(0.5, 1.5), 1)
        truth, answer = _spans(random, duration_s), _spans(random, duration_s)
        # Some answers lie near the seizures, or few cases would have a hit.
        if random.random() < 0.6:
            answer = _disjoint([(a + random.gauss(0, 40), b + random.gauss(0, 40)) for a, b in truth], duration_s)
        rules = EventRules(
            before_s=random.choice((0, 30)),
            after_s=random.choice((0, 60)),
            min_overlap=random.choice((0, 0.1, 0.5)),
            merge_s=random.choice((0, 90)),
            split_s=random.choice((60, 300)),
        )
        compared += _assert_equal(truth, answer, duration_s, rules)
    assert compared > 5000


def test_events_of_whole_tenths_of_a_second_are_split_and_merged_as_in_timescoring() -> None:
    for gap in (89.9, 90.0, 90.1):
        _assert_equal([(100.0, 130.0), (130.0 + gap, 300.0)], [(110.0, 1200.0)], 3600.0, EventRules())


def _assert_equal(truth: Spans, answer: Spans, duration_s: float, rules: EventRules) -> int:
    samples = round(duration_s * 10)
    reference, hypothesis = (Annotation(list(spans), 10, samples) for spans in (truth, answer))
    parameters = EventScoring.Parameters(
        toleranceStart=rules.before_s,
        toleranceEnd=rules.after_s,
        minOverlap=rules.min_overlap,
        maxEventDuration=rules.split_s,
        minDurationBetweenEvents=rules.merge_s,
    )
    theirs = {
        "events": EventScoring(reference, hypothesis, parameters),
        "samples": SampleScoring(reference, hypothesis, 1),
    }
    pair, compared = _pair(truth, answer, duration_s), 0
    for level, scoring in theirs.items():
        for name, attribute in SCORES.items():
            metric = Detection(score=name, level=level, rules=rules)  # type: ignore[arg-type]
            ours, expected = float(metric.value(metric.statistics([pair]).sum(axis=0))), getattr(scoring, attribute)
            # The samples of timescoring are whole seconds, so that its days are too.
            tolerance = 1e-2 * max(1.0, expected) if (name, level) == ("false_alarms", "samples") else 1e-9
            np.testing.assert_allclose(ours, expected, atol=tolerance, err_msg=f"{name} {level} {truth} {answer}")
            compared += bool(np.isfinite(ours))
        assert (metric.statistics([pair])[0, 1:4] == (scoring.refTrue, scoring.tp, scoring.fp)).all()
    return compared


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([], {"sensitivity": 0.0, "false_alarms": 0.0, "f1": 0.0}),
        # 24 h are 288 alarms of 5 min, of which the tolerance of a seizure from 1:00:00 to 1:01:00 touches two.
        ([[0, 24 * HOUR_S]], {"sensitivity": 1.0, "false_alarms": 286.0, "f1": 2 / (2 + 286)}),
        ([[HOUR_S, HOUR_S + 60]], {"sensitivity": 1.0, "false_alarms": 0.0, "f1": 1.0}),
        ([[HOUR_S + 119, HOUR_S + 130]], {"sensitivity": 1.0, "false_alarms": 0.0}),
        ([[HOUR_S + 121, HOUR_S + 130]], {"sensitivity": 0.0, "false_alarms": 1.0}),
        # Without an answer nothing is detected, and everything was an alarm.
        (None, {"sensitivity": 0.0, "false_alarms": 286.0, "f1": 0.0}),
        ("no list", {"sensitivity": 0.0, "false_alarms": 286.0}),
        ({"seizures": [[HOUR_S, HOUR_S + 60]], "seen": [[0, 24 * HOUR_S]]}, {"sensitivity": 1.0, "false_alarms": 0.0}),
        # An hour of which there is no answer are 12 alarms; of those, a seizure of that hour touches two.
        (
            {"seizures": [[HOUR_S, HOUR_S + 60]], "seen": [[0, 5 * HOUR_S], [6 * HOUR_S, 24 * HOUR_S]]},
            {"sensitivity": 1.0, "false_alarms": 12.0},
        ),
        ({"seizures": [], "seen": [[2 * HOUR_S, 24 * HOUR_S]]}, {"sensitivity": 0.0, "false_alarms": 22.0}),
        ({"seizures": [], "seen": "all"}, {"sensitivity": 0.0, "false_alarms": 286.0}),
    ],
)
def test_a_day_with_one_seizure(answer: object, expected: dict[str, float]) -> None:
    pair = _pair([(HOUR_S, HOUR_S + 60)], answer, 24 * HOUR_S)
    for score, value in expected.items():
        metric = detection(score=score)
        assert float(metric.value(metric.statistics([pair]).sum(axis=0))) == pytest.approx(value), score


def test_scores_are_formed_of_the_counts_of_all_recordings() -> None:
    pairs = [_pair([(100, 160)], [[100, 160]], HOUR_S), _pair([], [[500, 530]], 23 * HOUR_S)]
    metric = detection(score="false_alarms")
    assert float(metric.value(metric.statistics(pairs).sum(axis=0))) == 1.0


@pytest.mark.parametrize(
    ("answer", "latency"),
    [([[112, 140]], 12.0), ([[90, 140]], 0.0), ([], 120.0), (None, 120.0), ([[50, 60], [130, 140]], 30.0)],
)
def test_latency(answer: object, latency: float) -> None:
    metric = detection_latency()
    assert float(metric.value(metric.statistics([_pair([(100, 160)], answer, HOUR_S)]).sum(axis=0))) == latency


def _pair(truth: Spans, answer: object, duration_s: float) -> Pair:
    content = {"seizures": [list(span) for span in truth], "duration_s": duration_s}
    reference = Reference(
        item="i", task="s3/task8_detection", video_id="v1", subject="seizures", cluster=0, truth=content
    )
    return Pair(reference, Prediction("i", answer))


def _spans(random: Random, duration_s: float) -> Spans:
    starts = [random.uniform(0, duration_s) for _ in range(random.choice((0, 1, 2, 5, 12)))]
    return _disjoint([(start, start + random.lognormvariate(4, 1)) for start in starts], duration_s)


def _disjoint(spans: Sequence[tuple[float, float]], duration_s: float) -> Spans:
    """Return spans in order that share no time, as timescoring expects them."""
    digits, end, kept = 3, 0.0, []
    for start, stop in sorted(spans):
        first, last = round(max(start, end, 0.0), digits), round(min(stop, duration_s), digits)
        # Longer than the resolution of either: shorter events have no sample.
        if last - first > 1.0:
            kept.append((first, last))
            end = last + 0.2
    return kept
