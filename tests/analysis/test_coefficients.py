"""Coefficients of agreement, against published examples, hand calculation and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from s3harness.analysis.coefficients import (
    MISSING,
    CohenKappa,
    FleissKappa,
    KrippendorffAlpha,
    MeanOfQuestions,
    PlainAgreement,
)
from s3harness.stats import interval_of_rows

ALL = [CohenKappa, FleissKappa, KrippendorffAlpha, PlainAgreement]

FLEISS_1971 = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
"""Thirty patients, how many of six psychiatrists gave each of five diagnoses."""

KRIPPENDORFF_2011 = """11.1 2232 3333 3333 2222 1234 4444 1121 2222 .555 ..11 ..3."""
"""Twelve units, what each of four observers said; a dot where one said nothing."""


def codes_of(rows):
    return np.array([[MISSING if cell == "." else int(cell) - 1 for cell in row] for row in rows])


def value(coefficient, codes):
    return float(coefficient.value(coefficient.statistics(codes).sum(axis=0)))


def test_fleiss_kappa_of_the_diagnoses_of_fleiss_1971():
    rows = ["".join(str(d + 1) * int(n) for d, n in enumerate(counts)) for counts in FLEISS_1971.split()]
    codes = codes_of(rows)
    assert codes.shape == (30, 6)
    assert value(FleissKappa(5), codes) == pytest.approx(0.430, abs=0.0005)


def test_krippendorffs_alpha_of_his_own_example_with_missing_answers():
    assert value(KrippendorffAlpha(5), codes_of(KRIPPENDORFF_2011.split())) == pytest.approx(0.743, abs=0.0005)


def test_cohens_kappa_by_hand():
    """20 yes and 15 no in common, 5 and 10 apart: pₒ = 0.7, pₑ = 0.5 · 0.6 + 0.5 · 0.4 = 0.5."""
    codes = np.array([[0, 0]] * 20 + [[0, 1]] * 5 + [[1, 0]] * 10 + [[1, 1]] * 15)
    assert value(CohenKappa(2), codes) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert value(PlainAgreement(2), codes) == pytest.approx(0.7)


def test_fleiss_and_krippendorff_by_hand():
    """Of five items with two answers each one disagrees; half of the ten answers are yes.

    Fleiss: pₒ = 4/5, pₑ = 1/2. Krippendorff: observed disagreement 1/5, expected 2 · 5 · 5 / (10 · 9) = 5/9.
    """
    codes = np.array([[0, 0], [1, 1], [0, 1], [0, 0], [1, 1]])
    assert value(FleissKappa(2), codes) == pytest.approx((4 / 5 - 1 / 2) / (1 - 1 / 2))
    assert value(KrippendorffAlpha(2), codes) == pytest.approx(1 - (1 / 5) / (5 / 9))


@pytest.mark.parametrize("seed", range(4))
def test_cohens_kappa_agrees_with_scikit_learn_for_each_pair_and_on_the_mean(seed):
    random = np.random.default_rng(seed)
    codes = random.integers(0, 3, (50, 3))
    codes[:, 1] = np.where(random.random(50) < 0.6, codes[:, 0], codes[:, 1])
    expected = [cohen_kappa_score(codes[:, a], codes[:, b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    kappa = CohenKappa(3)
    assert kappa.by_pair(kappa.statistics(codes).sum(axis=0)).tolist() == pytest.approx(expected)
    assert value(kappa, codes) == pytest.approx(np.mean(expected))


def test_what_somebody_left_open_counts_for_nobody():
    full = np.array([[0, 0, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]])
    open_items = np.array([[0, MISSING, MISSING], [MISSING, MISSING, 1], [MISSING] * 3])
    for make in ALL:
        assert value(make(2), np.vstack([full, open_items])) == pytest.approx(value(make(2), full))


def test_an_item_that_one_of_three_left_open_counts_for_the_other_two():
    codes = np.array([[0, 0, 0], [1, 1, 1], [0, 1, MISSING], [1, 1, MISSING]])
    pair = CohenKappa(2).by_pair(CohenKappa(2).statistics(codes).sum(axis=0))
    assert pair[0] == pytest.approx(cohen_kappa_score([0, 1, 0, 1], [0, 1, 1, 1]))
    assert pair[1] == pair[2] == 1.0
    assert value(FleissKappa(2), codes) == 1.0
    assert 0 < value(KrippendorffAlpha(2), codes) < 1
    assert value(PlainAgreement(2), codes) == 0.75


@pytest.mark.parametrize("make", ALL[:3])
def test_perfect_agreement_is_1_and_that_of_chance_about_0(make):
    random = np.random.default_rng(0)
    column = random.integers(0, 2, 4000)
    assert value(make(2), np.column_stack([column, column])) == pytest.approx(1.0)
    assert value(make(2), random.integers(0, 2, (4000, 2))) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("make", ALL[:3])
def test_there_is_none_where_all_always_say_the_same_or_nothing(make):
    assert np.isnan(value(make(2), np.zeros((5, 2), dtype=int)))
    assert np.isnan(value(make(2), np.full((5, 2), MISSING)))
    assert np.isnan(value(make(2), np.zeros((0, 2), dtype=int)))


@pytest.mark.parametrize("make", ALL)
def test_many_resamples_are_computed_at_once(make):
    random = np.random.default_rng(1)
    codes = random.integers(-1, 3, (30, 3))
    rows = make(3).statistics(codes)
    drawn = [random.integers(0, 30, 30) for _ in range(4)]
    together = make(3).value(np.stack([rows[d].sum(axis=0) for d in drawn]))
    assert together.tolist() == pytest.approx([value(make(3), codes[d]) for d in drawn])


def test_the_mean_over_questions_leaves_out_the_undefined():
    agreed, constant = np.array([[0, 0], [1, 1], [0, 1]]), np.zeros((3, 2), dtype=int)
    kappa = CohenKappa(2)
    rows = np.hstack([kappa.statistics(codes) for codes in (agreed, constant)])
    assert float(MeanOfQuestions(kappa, 2).value(rows.sum(axis=0))) == pytest.approx(value(kappa, agreed))


def test_the_interval_widens_where_the_answers_of_a_patient_go_together():
    random = np.random.default_rng(2)
    patients = np.repeat(np.arange(20), 6)
    truth = random.integers(0, 2, 120)
    is_read_wrong = np.repeat(random.random(20) < 0.25, 6)
    rows = CohenKappa(2).statistics(np.column_stack([truth, np.where(is_read_wrong, 1 - truth, truth)]))
    clustered, naive = (interval_of_rows(CohenKappa(2), rows, of).interval for of in (patients, np.arange(120)))
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)
