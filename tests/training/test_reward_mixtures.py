"""Rewards by name, in mixtures: what each pays, what the gate says of their sum, and what comes back from a file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import UsageError
from s3harness.training.gate import examine, fit_floors
from s3harness.training.presets import PRESETS, rewards_named
from s3harness.training.reward_file import rewards_as_json, rewards_from_json
from s3harness.training.rewards import reward_function
from s3harness.training.shaping import OverlapReward, answers_in_spans, overlap, spans_of
from s3harness.training.training_set import SetSettings, build_training_set

SPANS = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)).map(sorted), max_size=4)


@pytest.fixture(scope="module")
def small(data):
    return build_training_set(data, SetSettings(mirror=False, balance="drop", leave_out_constant=True))


def mixture(training_set, **weights):
    return fit_floors(rewards_named(weights, training_set), training_set)


def test_the_papers_measures_are_those_of_its_tasks_and_pass_the_gate(small):
    paper = mixture(small, paper=2.0)
    assert {(r.name, r.weight) for r in paper} == {
        ("task1_feature_balanced_accuracy", 2.0),
        ("task2_bleu", 1.0),
        ("task2_rouge_l", 1.0),
        ("task3_laterality_balanced_accuracy", 2.0),
        ("task4_boundary_mae", 2.0),
        ("task5_lcs_f", 2.0),
        ("task6_bleu", 1.0),
        ("task6_rouge_l", 1.0),
        ("task7_diagnosis_balanced_accuracy", 2.0),
    }
    assert examine(paper, small).refused == []


def test_form_and_length_pass_only_beside_a_reward_of_the_truth(small):
    beside = examine(mixture(small, strict=1.0, format=0.2, length=0.1), small)
    assert beside.refused == []
    assert all(p.truth == pytest.approx(1.3) for p in beside.payments if p.reward == "task3_total")
    alone = examine(mixture(small, format=1.0), small)
    assert set(alone.refused) == {f"task{n}_total" for n in (1, 3, 4, 5, 6, 7)}
    heavy = examine(mixture(small, strict=1.0, format=20.0), small)
    assert "task3_total" in heavy.refused and "task3_laterality_balanced_accuracy" not in heavy.refused


def test_form_and_length_pay_for_the_answer_as_it_was_asked_for(small):
    form, length = (
        next(r for r in mixture(small, **{name: 1.0}) if r.task == "s3/task3_laterality")
        for name in ("format", "length")
    )
    sample = next(s for s in small.of_task("s3/task3_laterality") if s.target == "left")
    for text, of_form, of_length in (
        (sample.target, 1.0, 1.0),
        ("Answer: left, I think, but who knows", 0.5, 0.0),
        ("no idea", 0.0, 1.0 - (7 - 5) / 5),
        ("", 0.0, 0.0),
    ):
        assert form.score(text, sample.truth) == of_form, text
        assert length.score(text, sample.truth) == pytest.approx(of_length), text


def test_intervals_are_paid_by_their_overlap_in_tasks_whose_answers_are_intervals(small):
    assert not any(answers_in_spans(small.of_task(name), name) for name in small.specs)
    with pytest.raises(UsageError, match="no task here has rewards of overlap"):
        rewards_named({"overlap": 1.0}, small)
    assert overlap([(0, 10)], [(5, 15)]) == pytest.approx(5 / 15)
    assert overlap([(0, 5), (3, 10)], [(0, 10)]) == 1.0
    assert overlap([], []) == 1.0 and overlap([], [(1, 2)]) == overlap([(3, 3)], [(1, 2)]) == 0.0
    assert spans_of([3, 7.5]) == [(3.0, 7.5)] and spans_of([]) == []
    assert spans_of([["tonic", 3.0]]) is spans_of("3-7") is spans_of([1, 2, 3]) is spans_of([[0, float("nan")]]) is None


@given(answer=SPANS, truth=SPANS)
def test_an_overlap_is_a_share_and_complete_with_the_truth_itself(answer, truth):
    assert 0.0 <= overlap(answer, truth) <= 1.0 + 1e-9
    assert overlap(truth, truth) == pytest.approx(1.0)
    assert overlap(answer, truth) == pytest.approx(overlap(truth, answer))


def test_every_preset_comes_back_from_its_file_and_pays_the_same(small):
    there = [*mixture(small, strict=1.0, format=0.2, length=0.1), *mixture(small, authors=1.0)]
    there.append(OverlapReward(spec=small.specs["s3/task4_temporal_boundaries"]))
    back = rewards_from_json(json.loads(json.dumps(rewards_as_json(there))))
    assert [(r.name, r.task, r.weight) for r in back] == [(r.name, r.task, r.weight) for r in there]
    for one, other in zip(there, back, strict=True):
        columns = [sample.truth.as_text() for sample in small.of_task(one.task)[:6]]
        texts = [sample.target for sample in small.of_task(one.task)[:6]]
        assert reward_function(one)(texts, sample=columns) == reward_function(other)(texts, sample=columns)


@pytest.mark.parametrize(
    ("weights", "why"),
    [({"strict": 0.0}, "above 0"), ({"strict": 1.0, "lcs_f": 1.0}, "named twice"), ({"formal": 1.0}, "no task here")],
)
def test_mixtures_that_make_no_sense_are_refused(small, weights, why):
    with pytest.raises(UsageError, match=why):
        rewards_named(weights, small)


def test_the_presets_are_those_of_the_help():
    from s3harness.cli.training_options import REWARD_NAMES

    assert REWARD_NAMES.split(", or ")[0].split(", ") == list(PRESETS)
