"""A reward is the metric's own value on one answer, from 0 to 1, and tells right from wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3harness.backends.answer_text import write_answer
from s3harness.errors import UsageError
from s3harness.metrics.base import ItemMean
from s3harness.specs.tasks import MetricSpec
from s3harness.training.gate import fit_floors
from s3harness.training.reward_file import rewards_as_json, rewards_from_json
from s3harness.training.rewards import (
    MetricReward,
    RewardError,
    metric_rewards,
    reward_function,
    strict_rewards,
)

MIRROR = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def rewards(training_set):
    return {reward.task.rpartition("/")[2][:5]: reward for reward in strict_rewards(training_set.specs)}


def test_an_error_in_seconds_is_one_minus_its_share_of_the_worst(training_set, rewards):
    sample = training_set.of_task("s3/task4_temporal_boundaries")[0]
    start, end = sample.references[0].window
    truth = sample.references[0].truth
    worst = max(truth - start, end - truth)
    for error in (0.0, 2.0, 5.0):
        said = truth - start + (error if truth + error <= end else -error)
        paid = rewards["task4"].score(write_answer(sample.request, said), sample.truth)
        assert paid == pytest.approx(1 - error / worst, abs=1e-3)


def test_wrong_closed_answers_and_unreadable_ones_get_nothing(training_set, rewards):
    for task, wrong in (("s3/task3_laterality", MIRROR), ("s3/task7_diagnosis", {"ES": "NES", "NES": "ES"})):
        reward = rewards[task[3:8]]
        asked = [
            s for s in training_set.of_task(task) if s.request.subject not in ("onset_body_part", "video_and_report")
        ]
        for sample in asked[:8]:
            answer = write_answer(sample.request, wrong[sample.references[0].truth])
            assert reward.score(answer, sample.truth) == 0.0
            assert reward.score("no idea", sample.truth) == 0.0
            assert reward.score(sample.target, sample.truth) == 1.0


def test_repeating_the_truth_costs_although_an_evaluation_takes_repetitions_out(training_set, rewards):
    sample = next(s for s in training_set.of_task("s3/task5_event_order") if len(s.references[0].truth) > 1)
    assert rewards["task5"].score(", ".join([sample.target] * 10), sample.truth) < 0.3


@settings(max_examples=12, deadline=None)
@given(text=st.text(max_size=40) | st.sampled_from(["yes", "left", "none", "tonic, tonic", '{"timestamp": "99:59"}']))
def test_any_text_is_worth_between_0_and_1(training_set, text):
    for reward in strict_rewards(training_set.specs):
        paid = reward.score(text, training_set.of_task(reward.task)[0].truth)
        assert paid is None or 0.0 <= paid <= 1.0


def test_the_function_of_a_trainer_takes_texts_and_messages_and_skips_other_tasks(training_set, rewards):
    own, other = training_set.of_task("s3/task3_laterality")[0], training_set.of_task("s3/task4_temporal_boundaries")[0]
    function = reward_function(rewards["task3"])
    said = [own.target, [{"role": "assistant", "content": own.target}], other.target]
    columns = [sample.truth.as_text() for sample in (own, own, other)]
    assert function(said, sample=columns, prompts=["…"] * 3) == [1.0, 1.0, None]
    assert function.__name__ == "task3_laterality_balanced_accuracy"
    with pytest.raises(UsageError, match="column 'sample'"):
        function(said, truth=columns)
    with pytest.raises(UsageError, match="as train export writes it"):
        function(["left"], sample=["{}"])


def test_rewards_come_back_from_their_file_as_they_were(training_set):
    there = fit_floors(
        [r for r in strict_rewards(training_set.specs) if r.spec.item in ("boundary", "laterality")], training_set
    )
    back = rewards_from_json(json.loads(json.dumps(rewards_as_json(there))))
    assert [r.floors for r in back] == [r.floors for r in there]
    assert any(floor > 0 for reward in back for floor in reward.floors.values())
    for one, other in zip(there, back, strict=True):
        for sample in training_set.of_task(one.task)[:20]:
            assert one.score("left", sample.truth) == other.score("left", sample.truth)
    with pytest.raises(UsageError, match="no rewards can be read"):
        rewards_from_json({"schema": "something else"})


def test_a_floor_is_taken_off(training_set, rewards):
    sample = training_set.of_task("s3/task4_temporal_boundaries")[0]
    text = write_answer(sample.request, sample.references[0].truth - sample.request.clip.start_s + 1.0)
    raw = rewards["task4"].raw(text, sample.truth)
    halfway = replace(rewards["task4"], floors={sample.request.subject: 0.5})
    assert halfway.score(text, sample.truth) == pytest.approx((raw - 0.5) / 0.5)
    hopeless = replace(rewards["task4"], floors={sample.request.subject: 1.0})
    assert hopeless.score(text, sample.truth) is None


def test_a_metric_that_is_undefined_on_one_item_can_be_no_reward(training_set):
    spec = training_set.specs["s3/task4_temporal_boundaries"]
    for name in ("interval_iou", "boundary_mae_answered"):
        reward = MetricReward(spec=spec, reader=spec, metric=MetricSpec(name, name, {}, True))
        with pytest.raises(RewardError, match=f"{name}.* undefined on one item"):
            reward.score('{"timestamp": "00:10"}', training_set.of_task(spec.name)[0].truth)


def test_a_reward_that_is_not_a_number_is_named(training_set, monkeypatch):
    spec = training_set.specs["s3/task6_report"]
    sick = ItemMean(lambda p: 0.0 if p.prediction.value is None else float("nan") if p.prediction.value == "x" else 1.0)
    monkeypatch.setattr("s3harness.training.rewards.build_metric", lambda task, metric: sick)
    reward = MetricReward(spec=spec, reader=spec, metric=MetricSpec("sick", "sick", {}, True))
    function = reward_function(reward)
    with pytest.raises(RewardError, match=r"task6_sick .* is nan for the answer 'x'"):
        function(["x"], sample=[training_set.of_task(spec.name)[0].truth.as_text()])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"lcs": 1.0}, "no task here has a metric 'lcs'"),
        ({"lcs_f": 0.0}, "above 0"),
        ({"lcs_f": float("nan")}, "above"),
    ],
)
def test_wrong_names_and_weights_are_refused(training_set, wanted, said):
    with pytest.raises(UsageError, match=said):
        metric_rewards(training_set.specs, wanted)


def test_rewards_are_the_primary_metrics_and_another_where_one_answer_alone_has_no_score(training_set):
    """Content informedness compares the sentences of a data set; one sentence has none."""
    named = {reward.task.rpartition("/")[2][:5]: reward.metric.name for reward in strict_rewards(training_set.specs)}
    assert named["task1"] == "feature_balanced_accuracy"
    assert named["task2"] == "rationale_score"
    assert named["task5"] == "lcs_f"
    (relative,) = metric_rewards(training_set.specs, {"rationale_informedness": 1.0})
    sample = training_set.of_task("s3/task2_rationales")[0]
    with pytest.raises(RewardError, match="undefined on one item"):
        relative.score(sample.target, sample.truth)


def test_any_metric_of_a_task_and_any_other_by_its_task_can_be_named(training_set):
    named = metric_rewards(training_set.specs, {"rqi": 2.0, "5:duplicate_rate": 0.5})
    assert [(r.task, r.metric.name, r.weight) for r in named] == [
        ("s3/task6_report", "rqi", 2.0),
        ("s3/task5_event_order", "duplicate_rate", 0.5),
    ]
