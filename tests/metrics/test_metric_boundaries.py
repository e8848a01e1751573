"""Task 4: times."""

from __future__ import annotations

import math

import pytest
from metric_cases import pair, parts, score

from s3harness.metrics.boundaries import (
    boundary_bias,
    boundary_mae,
    boundary_mae_answered,
    boundary_within,
    interval_iou,
)

WINDOW = (100.0, 160.0)


@pytest.mark.parametrize(
    ("truth", "answer", "error"),
    [
        (120.0, 120.0, 0.0),
        (120.0, 123.5, 3.5),
        (120.0, 100, 20.0),
        (120.0, None, 40.0),
        (130.0, None, 30.0),
        (120.0, "2:00", 40.0),
        (120.0, True, 40.0),
        (120.0, math.nan, 40.0),
        (120.0, math.inf, 40.0),
        (120.0, 120_000.0, 40.0),
        (158.0, 9999.0, 58.0),
        (120.0, -5.0, 40.0),
    ],
)
def test_an_error_is_bounded_by_the_window_and_a_miss_is_the_worst(truth, answer, error):
    assert score(boundary_mae(), [pair(truth, answer, window=WINDOW)]) == pytest.approx(error)


def test_without_a_window_an_error_is_at_most_a_minute():
    assert score(boundary_mae(), [pair(10.0, None), pair(10.0, 500.0), pair(10.0, 11.0)]) == pytest.approx(121 / 3)


def test_the_answered_errors_and_the_bias_leave_misses_out():
    pairs = [pair(120.0, answer, window=WINDOW, video=f"v{answer}") for answer in (117.0, 124.0, None, "soon")]
    assert score(boundary_mae_answered(), pairs) == pytest.approx(3.5)
    assert score(boundary_bias(), pairs) == pytest.approx(0.5)


@pytest.mark.parametrize(("seconds", "share"), [(1, 0.25), (2, 0.5), (5, 0.75)])
def test_share_within_a_tolerance_counts_misses_as_outside(seconds, share):
    pairs = [pair(120.0, answer, window=WINDOW, video=f"v{answer}") for answer in (121.0, 118.0, 124.9, None)]
    assert score(boundary_within(seconds=seconds), pairs) == share


def test_items_or_boundaries_can_weigh_the_same():
    pairs = [pair(120.0, 121.0, subject="tonic", window=WINDOW, video=f"v{n}") for n in range(3)]
    pairs += [pair(120.0, 129.0, subject="clonic", window=WINDOW)]
    assert score(boundary_mae(), pairs) == 3.0
    assert score(boundary_mae(average="subjects"), pairs) == 5.0
    assert score(boundary_mae(subject="tonic"), pairs) == 1.0
    assert parts(boundary_mae(), pairs) == {"tonic": 1.0, "clonic": 9.0}


def interval(truth, answer, video="v0"):
    return [
        pair(truth[0], answer[0], subject="seizure_onset", video=video),
        pair(truth[1], answer[1], subject="seizure_offset", video=video),
    ]


@pytest.mark.parametrize(
    ("answer", "overlap"),
    [
        ((10.0, 50.0), 1.0),
        ((20.0, 40.0), 0.5),
        ((0.0, 80.0), 0.5),
        ((30.0, 70.0), 1 / 3),
        ((60.0, 90.0), 0.0),
        ((50.0, 10.0), 0.0),
        ((10.0, 10.0), 0.0),
        ((10.0, None), 0.0),
        ((None, 50.0), 0.0),
        ((10.0, math.inf), 0.0),
    ],
)
def test_overlap_of_the_seizure(answer, overlap):
    assert score(interval_iou(), interval((10.0, 50.0), answer)) == pytest.approx(overlap)


def test_only_videos_with_both_ends_and_some_length_are_scored():
    pairs = interval((10.0, 50.0), (20.0, 40.0)) + interval((30.0, 30.0), (30.0, 31.0), "v1")
    pairs += [pair(5.0, 5.0, subject="seizure_onset", video="v2"), pair(5.0, 5.0, subject="tonic", video="v0")]
    assert score(interval_iou(), pairs) == 0.5
    assert score(interval_iou(), pairs[::-1]) == 0.5
