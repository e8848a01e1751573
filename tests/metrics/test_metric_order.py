"""Task 5: which signs, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_cases import pair, score

from s3harness.metrics.order import (
    agreement,
    duplicate_rate,
    edit_similarity,
    lcs_f,
    longest_common_share,
    normalised_edit_similarity,
    order_agreement,
    out_of_vocabulary_rate,
)

ABCD = [["tonic", 1], ["clonic", 5], ["head_turning", 9], ["blank_stare", 20]]
INORDER = [name for name, _ in ABCD]
TOKENS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=12)


@pytest.mark.parametrize(
    ("truth", "answer", "lcs", "edit", "order"),
    [
        (ABCD, INORDER, 1.0, 1.0, 1.0),
        (ABCD, INORDER[::-1], 0.25, 0.0, 0.0),
        (ABCD, INORDER[:2], 2 / 3, 0.5, 2 / 3),
        (ABCD, ["tonic"], 0.4, 0.25, 0.2),
        (ABCD, [], 0.0, 0.0, 0.0),
        (ABCD, None, 0.0, 0.0, 0.0),
        (ABCD, "tonic", 0.0, 0.0, 0.0),
        ([], [], 1.0, 1.0, 1.0),
        ([], ["tonic"], 0.0, 0.0, 0.0),
        ([], None, 0.0, 0.0, 0.0),
        (ABCD[:1], ["tonic"], 1.0, 1.0, 1.0),
        (ABCD, INORDER + INORDER, 2 / 3, 0.5, 2 / 3),
        (ABCD, [*INORDER, *["junk"] * 12], 0.4, 0.25, 0.4),
        (ABCD, ["clonic", "tonic", "head_turning", "blank_stare"], 0.75, 0.5, 5 / 6),
    ],
)
def test_scores_of_one_sequence(truth, answer, lcs, edit, order):
    pairs = [pair(truth, answer, subject="sequence")]
    assert score(lcs_f(), pairs) == pytest.approx(lcs)
    assert score(edit_similarity(), pairs) == pytest.approx(edit)
    assert score(order_agreement(), pairs) == pytest.approx(order)


def test_signs_that_begin_together_may_come_in_either_order():
    truth = [["tonic", 3.0], ["clonic", 3.0], ["head_turning", 9.0]]
    for answer in (["tonic", "clonic", "head_turning"], ["clonic", "tonic", "head_turning"]):
        pairs = [pair(truth, answer)]
        assert [score(make(), pairs) for make in (lcs_f, edit_similarity, order_agreement)] == [1.0, 1.0, 1.0]


def test_the_order_of_signs_within_a_second_is_not_judged():
    truth = [["tonic", 3.0], ["clonic", 4.0], ["head_turning", 9.0]]
    answer = [pair(truth, ["clonic", "tonic", "head_turning"])]
    assert score(order_agreement(), answer) == 1.0
    assert score(order_agreement(tie_s=0.5), answer) == pytest.approx(2 / 3)


def test_the_first_mention_gives_the_place():
    assert agreement(["a", "b", "a"], [("a", 0), ("b", 5)]) == pytest.approx(2 * 2 / 5)
    assert agreement(["b", "a", "b"], [("a", 0), ("b", 5)]) == 0.0


@given(TOKENS, TOKENS)
def test_the_two_lists_are_treated_alike_and_equal_ones_score_one(one, other):
    for share in (longest_common_share, normalised_edit_similarity):
        assert 0.0 <= share(one, other) <= 1.0
        assert share(one, other) == pytest.approx(share(other, one))
        assert share(one, one) == 1.0


@given(TOKENS, st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, min_size=1), st.integers(1, 30))
def test_padding_never_pays(answer, signs, n):
    truth = [(sign, 10.0 * place) for place, sign in enumerate(signs)]
    names = [sign for sign, _ in truth]
    padded = [*answer, *["junk"] * n]
    assert longest_common_share(padded, names) <= longest_common_share(answer, names)
    assert agreement(padded, truth) <= agreement(answer, truth)
    assert normalised_edit_similarity(padded, names) <= len(names) / len(padded) + 1e-12 or len(padded) < len(names)


def test_rates_of_repeats_and_of_other_words():
    answers = (["tonic", "clonic", "tonic", "tonic"], [], None, ["tonic", "shaking"])
    pairs = [pair(ABCD, answer, video=f"v{n}") for n, answer in enumerate(answers)]
    assert score(duplicate_rate(), pairs) == pytest.approx((0.5 + 0 + 1 + 0) / 4)
    assert score(out_of_vocabulary_rate(), pairs) == pytest.approx((0 + 0 + 1 + 0.5) / 4)
    assert score(out_of_vocabulary_rate(vocabulary=["tonic", "shaking"]), pairs) == pytest.approx((0.25 + 0 + 1) / 4)
    assert not duplicate_rate().higher_is_better
