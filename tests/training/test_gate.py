"""The gate lets our rewards pass and refuses those that pay for not looking."""

from __future__ import annotations

import pytest

from s3harness.training.gate import LIMIT, examine, fitted
from s3harness.training.paper_rewards import authors_rewards
from s3harness.training.rewards import metric_rewards, strict_rewards
from s3harness.training.training_set import SetSettings, build_training_set


@pytest.fixture(scope="module")
def small(data):
    return build_training_set(data, SetSettings(mirror=False, balance="drop", leave_out_constant=True))


@pytest.fixture(scope="module")
def ours(small):
    return examine(fitted(strict_rewards(small.specs), small), small)


def test_every_strict_reward_passes_and_pays_the_truth_in_full(ours, small):
    assert ours.refused == []
    assert {p.task for p in ours.payments} == set(small.specs)
    assert {round(p.truth, 6) for p in ours.payments} == {1.0}
    assert all(0 <= p.paid < LIMIT for p in ours.payments)


def test_the_candidates_are_those_that_have_been_had_before(ours):
    names = {
        task: {p.candidate for p in ours.payments if task in p.task} for task in ("task1", "task4", "task5", "task6")
    }
    assert {"always_yes", "always_no", "commonest", "silence"} <= names["task1"]
    assert {"window_centre", "commonest_place", "silence"} <= names["task4"]
    assert {"empty", "all_signs", "every sign there is", "every sign 10 times", "commonest_sign"} <= names["task5"]
    assert {"constant_report", "commonest_report", "the truth 10 times", "junk"} <= names["task6"]


@pytest.mark.parametrize("protocol", ["paper", "strict"])
def test_the_authors_rewards_of_boundaries_and_of_order_are_refused(data, protocol):
    settings = SetSettings(tasks=("4", "5"), protocol=protocol, mirror=False)
    made = build_training_set(data, settings)
    found = examine(authors_rewards(made.specs), made)
    centre = next(p for p in found.payments if p.candidate == "window_centre")
    first = next(p for p in found.payments if p.candidate == "first of several signs")
    assert found.refused == ["authors_task4", "authors_task5"]
    assert centre.share > LIMIT
    assert first.share == 1.0


def test_a_metric_that_a_constant_maximises_is_refused(small):
    found = examine(metric_rewards(small.specs, {"out_of_vocabulary_rate": 1.0}), small)
    assert found.refused == ["task5_out_of_vocabulary_rate"]
