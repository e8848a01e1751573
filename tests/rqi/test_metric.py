"""The Seizure-RQI behaves as every metric of a task does."""

import numpy as np
import pytest

from s3harness.metrics.base import Pair
from s3harness.metrics.rqi import Penalty, SeizureRQI
from s3harness.metrics.rqi.penalties import BUILT_IN
from s3harness.types import Prediction, Reference

EXPERT = "The head turns to the left, then clonic jerks."
TRUTH = {"text": EXPERT, "events": ["head_turning", "clonic"], "sides": {"head_turning": "left"}, "untested": []}


def pair(value, status="answered"):
    reference = Reference(item="i", task="s3/task6_report", video_id="v", subject="report", cluster=0, truth=TRUTH)
    return Pair(reference, Prediction("i", value, status))


def mean(metric, pairs):
    return float(metric.value(metric.statistics(pairs).sum(axis=0)))


def test_the_truth_scores_100_and_a_missing_report_0():
    metric = SeizureRQI()
    assert mean(metric, [pair(EXPERT)]) == 100
    assert mean(metric, [pair(EXPERT), pair(None, "missing")]) == 50


@pytest.mark.parametrize("preset", ["strict", "strict-1", "paper"])
def test_statistics_add_up_and_parts_are_means(preset):
    metric = SeizureRQI(preset)
    pairs = [pair(EXPERT), pair("Staring."), pair(None, "failed")]
    rows = metric.statistics(pairs)
    assert rows.shape[0] == 3
    assert np.allclose(metric.value(rows)[:2], [metric.score(p).value for p in pairs[:2]])
    parts = metric.parts(rows.sum(axis=0))
    assert set(parts) == {"S", "C", "L", "T", *metric.preset.penalties}
    assert parts["C"] == pytest.approx(1 / 3)
    assert all(0 <= part <= 1 for part in parts.values())


def test_no_pairs_give_no_score():
    metric = SeizureRQI()
    assert metric.statistics([]).shape == (0, 18)
    assert np.isnan(mean(metric, []))


def test_penalties_come_from_the_resolver_and_are_named():
    metric = SeizureRQI(penalties=["half"], resolver=lambda name: BUILT_IN.get(name, lambda _: Penalty(0.5)))
    assert metric.preset.name == "strict-2+half"
    assert mean(metric, [pair(EXPERT)]) == 50
    assert metric.parts(metric.statistics([pair(EXPERT)])[0])["half"] == 0.5


def test_scores_are_points():
    assert SeizureRQI.unit == "points"
    assert SeizureRQI.higher_is_better
