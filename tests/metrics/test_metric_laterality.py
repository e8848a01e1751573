"""Task 3: sides and body parts."""

from __future__ import annotations

import numpy as np
import pytest
from metric_cases import pair, parts, score
from sklearn.metrics import balanced_accuracy_score, f1_score

from s3harness.metrics.laterality import laterality_balanced_accuracy, laterality_macro_f1


def sides(truths, answers, subject="head_turning"):
    return [pair(t, a, subject=subject, video=f"v{n}") for n, (t, a) in enumerate(zip(truths, answers, strict=True))]


def test_always_saying_the_commoner_side_is_worth_no_more_than_the_other():
    truths = ["left"] * 25 + ["right"] * 7
    for side in ("left", "right"):
        assert score(laterality_balanced_accuracy(), sides(truths, [side] * 32)) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_scikit_learn(seed):
    random = np.random.default_rng(seed)
    truths = random.choice(["head", "arms", "left leg", "mouth"], 60)
    answers = random.choice(["head", "arms", "left leg", "mouth"], 60)
    pairs = sides(truths, answers, "onset_body_part")
    assert score(laterality_balanced_accuracy(), pairs) == pytest.approx(balanced_accuracy_score(truths, answers))
    assert score(laterality_macro_f1(), pairs) == pytest.approx(f1_score(truths, answers, average="macro"))


def test_every_body_part_can_be_right_and_other_words_are_wrong():
    pairs = sides(["full body", "eyes", "eyes"], ["full body", "eyes", "both eyes"], "onset_body_part")
    assert score(laterality_balanced_accuracy(), pairs) == pytest.approx((1 + 0.5) / 2)


def test_no_answer_is_the_other_side():
    truths = ["left", "left", "left", "right", "right"]
    failed = sides(truths, ["left", None, "left", None, "right"])
    wrong = sides(truths, ["left", "right", "left", "left", "right"])
    for make in (laterality_balanced_accuracy, laterality_macro_f1):
        assert score(make(), failed) == score(make(), wrong)


@pytest.mark.parametrize("wrong", ["left arm", "right arm", "head", "mouth"])
def test_no_answer_costs_as_much_as_the_costliest_wrong_one(wrong):
    """Also where there are more than two classes, and the wrong answer is a class that others have."""
    truths = ["head", "head", "left arm", "left arm", "right arm", "mouth"]
    for number in (n for n, truth in enumerate(truths) if truth != wrong):
        answers = [wrong if n == number else truth for n, truth in enumerate(truths)]
        failed = [None if n == number else truth for n, truth in enumerate(truths)]
        for make in (laterality_balanced_accuracy, laterality_macro_f1):
            with_failure, with_error = (
                score(make(), sides(truths, said, "onset_body_part")) for said in (failed, answers)
            )
            assert with_failure <= with_error + 1e-12


def test_parts_name_questions_and_sides_and_a_subject_restricts_the_score():
    pairs = sides(["left", "right"], ["left", "left"]) + sides(["left", "right"], ["left", "right"], "arm_movement")
    found = parts(laterality_balanced_accuracy(), pairs)
    assert found["head_turning"] == 0.5
    assert found["arm_movement"] == 1.0
    assert found["head_turning/right"] == 0.0
    assert score(laterality_balanced_accuracy(), pairs) == 0.75
    assert score(laterality_balanced_accuracy(subject="arm_movement"), pairs) == 1.0


def test_one_side_alone_says_nothing():
    assert np.isnan(score(laterality_balanced_accuracy(), sides(["left"] * 3, ["left"] * 3)))
