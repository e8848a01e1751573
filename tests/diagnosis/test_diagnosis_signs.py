"""What is said of the signs is what can be counted, exchanged and added up by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnosis_cases import cases_of, telling

from s3harness.diagnosis.cases import UNTESTED
from s3harness.diagnosis.crossfit import cross_fit, diagnose_out_of_fold
from s3harness.diagnosis.explain import explain
from s3harness.diagnosis.folds import deal_folds
from s3harness.diagnosis.scores import calibration_curve
from s3harness.diagnosis.signs import influences, likelihood_ratios


def cross_fitted(cases, classifier, repeats=1):
    return [cross_fit(cases, cases, deal_folds(cases, 3, seed), classifier, seed) for seed in range(repeats)]


def counted(es_present, es, nes_present, nes, untested=0):
    """Cases of one sign with these counts, a patient each."""
    column = [1] * es_present + [0] * (es - es_present) + [1] * nes_present + [0] * (nes - nes_present)
    truth = [1] * es + [0] * nes + [1] * untested
    return cases_of(np.array(column + [UNTESTED] * untested)[:, None], truth)


def test_likelihood_ratios_are_those_of_the_counts():
    (found,) = likelihood_ratios(counted(30, 40, 5, 50, untested=7), resamples=500)
    assert (found.present, found.known, found.is_corrected) == (35, 90, False)
    assert found.positive.value == pytest.approx((30 / 40) / (5 / 50))
    assert found.negative.value == pytest.approx((10 / 40) / (45 / 50))
    assert 1 < found.positive.interval.low < found.positive.value < found.positive.interval.high
    assert found.negative.interval.high < 1


def test_an_empty_count_gets_half_a_video_and_says_so():
    (found,) = likelihood_ratios(counted(12, 40, 0, 50), resamples=200)
    assert found.is_corrected
    assert found.positive.value == pytest.approx((12.5 / 41) / (0.5 / 51))


@pytest.mark.parametrize("cases", [counted(0, 10, 0, 10), counted(10, 10, 10, 10), counted(3, 10, 0, 0)])
def test_a_sign_that_never_differs_or_has_one_class_has_no_ratio(cases):
    (found,) = likelihood_ratios(cases, resamples=50)
    assert found.positive.value is found.negative.value is found.positive.interval is None
    assert not found.is_corrected


def test_videos_of_few_patients_make_wide_intervals():
    each = counted(30, 40, 25, 50)
    few = replace(each, patients=np.arange(90) // 7, marks={n: frozenset([str(n)]) for n in range(13)})
    (alone,), (together,) = (likelihood_ratios(cases, resamples=500) for cases in (each, few))
    assert together.positive.value == alone.positive.value
    widths = [np.log(found.positive.interval.high / found.positive.interval.low) for found in (alone, together)]
    assert widths[1] > 1.5 * widths[0]


def test_a_sign_that_one_patient_alone_shows_in_a_class_has_no_interval():
    each = counted(30, 40, 5, 50)
    few = replace(each, patients=np.arange(90) // 10, marks={n: frozenset([str(n)]) for n in range(9)})
    (found,) = likelihood_ratios(few, resamples=100)
    assert found.positive.value == pytest.approx(7.5)
    assert found.positive.interval is None


def test_importance_and_direction_find_the_signs_that_tell():
    cases = telling(patients=20)
    found = influences(cross_fitted(cases, "logistic_regression"), cases, resamples=300)
    by_importance = sorted(found, key=lambda influence: -influence.importance.value)
    assert {influence.sign for influence in by_importance[:2]} == set(cases.signs[:2])
    assert [influence.direction for influence in found[:2]] == ["ES", "NES"]
    assert all(influence.importance.interval.low > 0 for influence in found[:2])


@pytest.mark.parametrize(("classifier", "patients"), [("shallow_tree", 20), ("random_forest", 12)])
def test_trees_rest_on_a_sign_that_tells_and_in_its_direction(classifier, patients):
    cases = telling(patients=patients, clarity=0.95)
    found = influences(cross_fitted(cases, classifier), cases, resamples=200)
    first = max(found, key=lambda influence: influence.importance.value)
    assert first.direction == dict(zip(cases.signs, ("ES", "NES"), strict=False))[first.sign]


def test_importance_is_the_mean_over_permutations():
    cases = telling(patients=12, signs=3)
    repeats = cross_fitted(cases, "logistic_regression")
    (found, *_) = influences(repeats, cases, resamples=50)
    draw, briers = np.random.default_rng(0), []
    for _ in range(400):
        vectors = cases.vectors.copy()
        vectors[:, 0] = draw.permutation(vectors[:, 0])
        made = diagnose_out_of_fold(repeats, replace(cases, vectors=vectors)).probability[0]
        briers.append(np.mean((made - cases.truth) ** 2))
    plain = np.mean((diagnose_out_of_fold(repeats, cases).probability[0] - cases.truth) ** 2)
    assert found.importance.value == pytest.approx(np.mean(briers) - plain, abs=4 * np.std(briers) / 20)


def test_the_moves_of_a_logistic_regression_add_up_to_its_log_odds():
    cases = telling(patients=12)
    cases = replace(cases, vectors=np.where(cases.vectors * np.arange(6) == 3, UNTESTED, cases.vectors))
    for found in explain(cross_fitted(cases, "logistic_regression"), cases):
        total = found.base + sum(moved.by for moved in found.moved)
        assert 1 / (1 + np.exp(-total)) == pytest.approx(found.probability, abs=1e-9)
        assert found.unit == "log-odds"
        assert found.says == ("ES" if found.probability >= found.threshold else "NES")


def test_hiding_a_sign_shows_what_it_did_in_a_forest():
    cases = telling(patients=12, clarity=0.95)
    for found in explain(cross_fitted(cases, "random_forest"), cases):
        moves = {moved.sign: moved for moved in found.moved}
        telling_sign = moves[cases.signs[0]]
        assert found.unit == "probability"
        assert (telling_sign.by > 0) == (telling_sign.answer == "present")
    assert found.base is None


def test_an_explanation_names_the_largest_move_first_and_a_silent_video_has_none():
    cases = telling(patients=12)
    silent = replace(cases, vectors=np.where(np.arange(len(cases))[:, None] == 0, -2.0, cases.vectors))
    first, *others = explain(cross_fitted(silent, "shallow_tree", repeats=2), silent)
    assert (first.probability, first.says, first.moved) == (None, None, ())
    for found in others:
        sizes = [abs(moved.by) for moved in found.moved]
        assert sizes == sorted(sizes, reverse=True)
        assert found.truth in ("ES", "NES")


def test_the_calibration_curve_of_honest_probabilities_lies_on_the_diagonal():
    probability = (np.arange(1200) + 0.5) / 1200
    spread = np.arange(1200) * 0.6180339887 % 1.0
    cases = cases_of(np.ones((1200, 1)), spread < probability)
    curve = calibration_curve(cases, np.where(np.arange(1200) < 6, np.nan, probability), resamples=100)
    assert sum(point.n for point in curve) == 1194
    for point in curve:
        assert point.observed.value == pytest.approx(point.predicted, abs=0.03)
        assert point.observed.interval.low < point.predicted < point.observed.interval.high
