"""The monitor: what it sees in the answers of a model that learns, and what it calls a collapse."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest

from s3harness.training.monitor import FILE, Collapse, CollapseLimits, Monitor, TrainingAnswer, repetition

FEATURES, SIDES, REPORTS = "s3/task1_features", "s3/task3_laterality", "s3/task6_report"
WINDOW = 24


def answers(training_set, task, text, *, ended=True):
    """:data:`WINDOW` answers to balanced samples of a task; ``text`` makes them of the samples."""
    samples = [s for s in training_set.samples if s.request.task == task and s.request.subject != "onset_body_part"]
    chosen = Random(0).choices(samples, k=WINDOW)
    return [TrainingAnswer(task, s.truth, text(s), {"reward": 0.5}, ended) for s in chosen]


@pytest.fixture
def monitor(training_set, tmp_path):
    return Monitor(training_set.specs, tmp_path, CollapseLimits(window=WINDOW))


def test_the_truth_is_no_collapse_and_is_seen_as_it_is(training_set, monitor):
    stats = monitor.observe(1, answers(training_set, SIDES, lambda s: s.target))[SIDES]
    assert stats.answers == WINDOW
    assert (stats.coverage, stats.cut, stats.reward) == (1.0, 0.0, 0.5)
    assert stats.commonest == stats.commonest_true < 0.9


@pytest.mark.parametrize(
    ("task", "text", "why"),
    [
        (SIDES, lambda s: "left", "100% are the same"),
        (FEATURES, lambda s: '{"answer": "yes", "justification": "' + s.id + '"}', "100% are the same"),
        (SIDES, lambda s: "I cannot say", "0% can be read"),
        (REPORTS, lambda s: "the arm jerks on the left and " * 9, "only repeat"),
    ],
)
def test_a_collapse_is_named_once_there_are_answers_enough(training_set, monitor, task, text, why):
    collapsing = answers(training_set, task, text)
    monitor.observe(1, collapsing[:-1])
    with pytest.raises(Collapse, match=why) as caught:
        monitor.observe(2, collapsing[-1:])
    assert task in str(caught.value) and "lower the learning rate" in str(caught.value)


def test_a_constant_answer_to_each_question_is_a_collapse(training_set, tmp_path):
    """ "left" to all heads and "right" to all arms: no answer is given to more than half of the task's questions."""
    constant = {"head_turning": "left", "arm_movement": "right", "onset_body_part": "head"}
    samples = [s for s in training_set.samples if s.request.task == SIDES]
    monitor = Monitor(training_set.specs, tmp_path, CollapseLimits(question_window=16))
    chosen = [s for subject in constant for s in Random(0).choices(_of(samples, subject), k=16)]
    given = [_answer(sample, constant[sample.request.subject]) for sample in chosen]
    stats = monitor.observe(1, given[:31])[SIDES]
    assert stats.constant == ("head_turning",) and stats.commonest < 0.6
    with pytest.raises(Collapse, match="each question gets one answer to all clips"):
        monitor.observe(2, given[31:])
    sees = Monitor(training_set.specs, tmp_path / "sees", CollapseLimits(question_window=16))
    right = sees.observe(1, [_answer(s, s.target if s.request.subject == "head_turning" else "head") for s in chosen])
    assert "head_turning" not in right[SIDES].constant


def test_groups_without_any_spread_are_warned_of_and_noted(training_set, tmp_path):
    warnings = []
    monitor = Monitor(training_set.specs, tmp_path, warn=warnings.append)
    samples = [s for s in training_set.samples if s.request.task == SIDES][:2]
    for step, rewards in enumerate(([0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]), 1):
        given = [_answer(samples[n // 2], "left", {"r": reward}) for n, reward in enumerate(rewards)]
        monitor.observe(step, given, group=2)
    assert [share for _, share in monitor.notes("no_spread")] == [1.0, 1.0, 0.5, 1.0]
    assert [line.split(":")[0] for line in warnings] == ["step 1", "step 4"] and "gradient is zero" in warnings[0]


def _of(samples, subject):
    return [s for s in samples if s.request.subject == subject]


def _answer(sample, text, rewards=None):
    return TrainingAnswer(sample.request.task, sample.truth, text, rewards or {})


def test_answers_that_do_not_end_are_a_collapse(training_set, monitor):
    collapsing = answers(training_set, SIDES, lambda s: s.target, ended=False)
    with pytest.raises(Collapse, match="did not end"):
        monitor.observe(1, collapsing)


def test_one_answer_is_no_collapse_where_it_is_nearly_always_true(training_set, monitor):
    samples = [s for s in training_set.samples if s.request.task == SIDES and s.target == "left"]
    collapsing = [TrainingAnswer(SIDES, s.truth, "left", {}, True) for s in (samples * WINDOW)[:WINDOW]]
    assert monitor.observe(1, collapsing)[SIDES].commonest == 1.0


@pytest.mark.parametrize("kl", [5.5, float("nan"), float("inf")])
def test_a_model_that_has_gone_far_is_a_collapse(training_set, monitor, kl):
    with pytest.raises(Collapse, match="nats a token"):
        monitor.observe(1, answers(training_set, SIDES, lambda s: s.target), kl=kl)


def test_what_is_seen_is_written_and_forgotten_after_the_step_that_is_gone_on_from(training_set, monitor, tmp_path):
    collapsing = answers(training_set, SIDES, lambda s: s.target)
    for step in (1, 2, 3):
        monitor.observe(step, collapsing, kl=0.1)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert lines[0]["tasks"][SIDES]["coverage"] == 1.0 and lines[0]["kl"] == 0.1
    monitor.forget_after(2)
    assert len((tmp_path / FILE).read_text().splitlines()) == 2


def test_only_the_last_answers_count(training_set, monitor):
    right = answers(training_set, SIDES, lambda s: s.target)
    monitor.observe(1, [replace(answer, text="left") for answer in right[:-1]])
    assert monitor.observe(2, right)[SIDES].answers == WINDOW


@pytest.mark.parametrize(
    ("text", "share"), [("", 0.0), ("a b c", 0.0), ("a b c d e", 0.0), ("a b c d a b c d", 0.2), ("a " * 20, 16 / 17)]
)
def test_repetition_is_the_share_of_runs_of_words_that_have_been_there(text, share):
    assert repetition(text) == pytest.approx(share)
