"""Each patient is scored by a classifier trained without that patient, by every command and function that does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnosis_cases import cases_of, patient_noise, telling

from s3harness.diagnosis.crossfit import cross_fit, diagnose_out_of_fold
from s3harness.diagnosis.fit import best_threshold, fit, probabilities
from s3harness.diagnosis.folds import deal_folds, folds_of_splits, patients_needed
from s3harness.diagnosis.scores import score_probabilities
from s3harness.errors import UsageError

SEEDS = range(8)
CHANCE = 0.15
"""How far from 0.5 the mean over the seeds may be: three standard errors, the scores spreading by 0.14 (60 seeds)."""


def out_of_fold(cases, classifier, seed=0, folds=4):
    dealt = deal_folds(cases, folds, seed)
    return diagnose_out_of_fold([cross_fit(cases, cases, dealt, classifier, seed)], cases)


@pytest.mark.parametrize("classifier", ["logistic_regression", "shallow_tree"])
def test_labels_that_are_noise_of_the_patient_give_chance(classifier):
    found = []
    for seed in SEEDS:
        cases = patient_noise(seed)
        found.append(score_probabilities(cases, out_of_fold(cases, classifier, seed), resamples=300))
    for name in ("balanced_accuracy", "auroc"):
        measures = [scores[name] for scores in found]
        assert np.mean([measure.value for measure in measures]) == pytest.approx(0.5, abs=CHANCE), name
        holding = sum(m.interval.low <= 0.5 <= m.interval.high for m in measures)
        assert holding >= len(measures) - (2 if name == "balanced_accuracy" else 3), name


def test_the_same_noise_fools_whoever_splits_by_video():
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    fooled = []
    for seed in SEEDS:
        cases = patient_noise(seed)
        careless = KFold(4, shuffle=True, random_state=seed)
        said = cross_val_predict(KNeighborsClassifier(1), cases.vectors, cases.truth, cv=careless)
        fooled.append(balanced_accuracy_score(cases.truth, said))
    assert np.mean(fooled) > 0.5 + 1.5 * CHANCE


def test_what_is_there_to_be_learnt_is_learnt():
    cases = telling(patients=16, clarity=0.95)
    for classifier in ("logistic_regression", "shallow_tree", "random_forest"):
        scores = score_probabilities(cases, out_of_fold(cases, classifier), resamples=300)
        assert scores["balanced_accuracy"].interval.low > 0.6, classifier
        assert scores["auroc"].value > 0.8, classifier


def test_a_patient_who_was_fitted_is_refused():
    cases = telling(patients=12)
    fitted = fit(cases.take(cases.patients < 10), "logistic_regression")
    assert np.isfinite(probabilities(fitted, cases.take(cases.patients >= 10))).all()
    for patient in (0, 9):
        with pytest.raises(UsageError, match="was fitted on 1 of the 3 patients"):
            probabilities(fitted, cases.take((cases.patients >= 10) | (cases.patients == patient)))


def test_a_patient_is_recognised_under_another_number():
    cases = telling(patients=12)
    fitted = fit(cases, "shallow_tree")
    renumbered = replace(cases.take(cases.patients == 3), patients=np.full(3, 70), marks={70: cases.marks[3]})
    with pytest.raises(UsageError, match="1 of the 1 patients"):
        probabilities(fitted, renumbered)


def test_the_held_out_have_no_say_in_anything_that_is_fitted_or_chosen():
    cases = telling(patients=12, videos=2)
    folds = deal_folds(cases, 3, 0)
    plain = cross_fit(cases, cases, folds, "logistic_regression", 0)
    for number, fold in enumerate(plain):
        turned = np.where(fold.held_out, 1.0 - cases.truth, cases.truth)
        vectors = np.where(fold.held_out[:, None], 1.0 - cases.vectors, cases.vectors)
        again = cross_fit(replace(cases, truth=turned, vectors=vectors), cases, folds, "logistic_regression", 0)
        assert again[number].fitted == fold.fitted


def test_each_fold_learns_from_all_others_and_from_no_other():
    cases = telling(patients=20)
    for fold in cross_fit(cases, cases, deal_folds(cases, 5, 1), "shallow_tree", 1):
        learnt = set(cases.patients.tolist()) - set(cases.patients[fold.held_out].tolist())
        assert fold.fitted.trained_on.marks == {f"patient {patient}" for patient in learnt}


def test_what_annotators_saw_of_the_held_out_is_held_out_too():
    cases = telling(patients=20)
    scored = cases.take(cases.patients < 8)
    for fold in cross_fit(cases, scored, deal_folds(scored, 3, 0), "shallow_tree", 0):
        assert not fold.fitted.trained_on.met_in(scored.take(fold.held_out).marks)
        assert len(fold.fitted.trained_on.marks) == 20 - len(set(scored.patients[fold.held_out].tolist()))


@pytest.mark.parametrize("folds", [2, 3, 5, 8])
def test_folds_keep_patients_whole_and_both_diagnoses_on_either_side(folds):
    for seed in range(5):
        cases = patient_noise(seed)
        dealt = deal_folds(cases, folds, seed)
        assert set(dealt.tolist()) == set(range(folds))
        assert all(len(set(dealt[cases.patients == patient].tolist())) == 1 for patient in cases.marks)
        assert all(0 < cases.truth[dealt != fold].mean() < 1 for fold in range(folds))


def test_folds_do_not_depend_on_the_order_of_the_videos():
    cases = patient_noise(3)
    turned = np.arange(len(cases))[::-1]
    assert (deal_folds(cases.take(turned), 5, 0) == deal_folds(cases, 5, 0)[turned]).all()


def test_how_many_patients_folds_need():
    assert [patients_needed(folds) for folds in (2, 3, 4, 5, 10)] == [4, 3, 4, 5, 10]
    assert [patients_needed(folds, left=1) for folds in (2, 3)] == [2, 3]


def test_too_few_patients_are_named_with_what_is_possible():
    cases = telling(patients=8)
    with pytest.raises(UsageError, match=r"5 folds need 5 patients .* 4 patients with ES, 4 with NES; use --folds 4"):
        deal_folds(cases, 5, 0)
    with pytest.raises(UsageError, match="more patients are needed"):
        deal_folds(cases.take(cases.patients < 4), 5, 0)


def test_one_class_alone_is_named():
    cases = telling(patients=20)
    with pytest.raises(UsageError, match=r"there is no NES among the 30 videos .*10 patients with ES, 0 with NES"):
        fit(cases.take(cases.truth == 1), "logistic_regression")


def test_answers_that_are_all_the_same_are_named():
    cases = telling(patients=12)
    with pytest.raises(UsageError, match="are the same, so no classifier"):
        fit(replace(cases, vectors=np.ones_like(cases.vectors)), "logistic_regression")


def test_splits_as_folds():
    cases = telling(patients=12)
    splits = tuple(f"fold{patient % 3}" for patient in cases.patients)
    assert (folds_of_splits(replace(cases, splits=splits), "paper") == cases.patients % 3).all()
    with pytest.raises(UsageError, match="the authors' folds are fold0 to fold4"):
        folds_of_splits(replace(cases, splits=("train",) * len(cases)), "paper")
    with pytest.raises(UsageError, match="needs two splits or more"):
        folds_of_splits(cases, "split")
    torn = tuple(f"fold{number % 2}" for number in range(len(cases)))
    with pytest.raises(UsageError, match="12 patients are in more than one split"):
        folds_of_splits(replace(cases, splits=torn), "split")


def test_a_threshold_lies_between_the_classes():
    assert best_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 0, 1, 1])) == pytest.approx(0.5)
    assert best_threshold(np.array([0.81, 0.82, 0.88, 0.9]), np.array([0.0, 0, 1, 1])) == pytest.approx(0.85)
    assert best_threshold(np.array([0.7, 0.7]), np.array([0.0, 1.0])) == 0.5


def test_a_video_without_any_answer_gets_no_diagnosis_and_counts_as_wrong():
    cases = telling(patients=20)
    silent = np.arange(len(cases)) % 3 == 0
    mute = replace(cases, vectors=np.where(silent[:, None], -2.0, cases.vectors))
    found = out_of_fold(mute, "logistic_regression")
    assert (np.isnan(found.says_es[0]) == silent).all()
    scores = score_probabilities(mute, found, resamples=100)
    heard = score_probabilities(
        mute.take(~silent), out_of_fold(mute.take(~silent), "logistic_regression"), resamples=100
    )
    assert scores["sensitivity"].value <= 2 / 3 + 1e-9 < heard["sensitivity"].value
    assert scores["brier"].value > 1 / 3


def test_a_perfect_and_a_reversed_answerer():
    from s3harness.diagnosis.crossfit import OutOfFold

    cases = cases_of(np.eye(8), [1, 1, 1, 1, 0, 0, 0, 0])
    for is_right, value in ((True, 1.0), (False, 0.0)):
        said = (cases.truth if is_right else 1 - cases.truth)[None, :]
        scores = score_probabilities(cases, OutOfFold(said, said, np.zeros((1, 8), dtype=np.int64)), resamples=50)
        assert [scores[name].value for name in ("balanced_accuracy", "auroc", "f1")] == [value] * 3
        assert scores["brier"].value == 1 - value
