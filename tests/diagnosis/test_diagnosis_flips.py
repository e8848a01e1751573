"""A wrong diagnosis is laid at the door of the signs that turned it, or of the classifier where true signs do not."""

from __future__ import annotations

import json

import numpy as np
from diagnosis_cases import telling, with_vectors

from s3harness.diagnosis.crossfit import cross_fit
from s3harness.diagnosis.flips import flips
from s3harness.diagnosis.folds import deal_folds
from s3harness.diagnosis.result_file import read_diagnosis


def _flips(said, truths):
    folds = deal_folds(said, 4, 0)
    return flips([cross_fit(truths, said, folds, "logistic_regression", 0)], said, truths)


def _answered(truths, change):
    vectors = truths.vectors.copy()
    change(vectors)
    return with_vectors(truths, vectors)


def test_the_one_sign_that_was_answered_wrongly_is_named():
    truths = telling(clarity=1.0)
    right = {flip.video for flip in _flips(truths, truths)}
    assert not right

    def mistake(vectors):
        vectors[4, 0], vectors[4, 1] = 1 - vectors[4, 0], 1 - vectors[4, 1]
        vectors[4, 3] = 1 - vectors[4, 3]

    (flip,) = _flips(_answered(truths, mistake), truths)
    assert flip.video == truths.videos[4]
    assert set(flip.wrong) == {truths.signs[n] for n in (0, 1, 3)}
    assert set(flip.flipped_by) <= {truths.signs[0], truths.signs[1]}
    assert flip.by_all
    assert flip.says != flip.truth == ("ES" if truths.truth[4] else "NES")


def test_a_classifier_that_is_wrong_about_true_signs_is_at_fault_itself():
    truths = telling(clarity=0.7, seed=3)
    found = _flips(truths, truths)
    assert found
    for flip in found:
        assert (flip.wrong, flip.flipped_by, flip.by_all) == ((), (), False)


def test_an_untested_sign_is_not_held_against_the_answer():
    truths = telling(clarity=1.0)
    untested = _answered(truths, lambda vectors: vectors.__setitem__((slice(None), 4), -1.0))
    said = _answered(truths, lambda vectors: vectors.__setitem__((slice(None), slice(0, 2)), 1 - vectors[:, :2]))
    for flip in _flips(said, untested):
        assert truths.signs[4] not in flip.wrong


def test_the_run_keeps_it_until_its_answers_change(s3, recorded):
    _, run = recorded(telling(patients=24, videos=2), _answered(telling(patients=24, videos=2), _blur))
    assert read_diagnosis(run) is None
    assert s3("diagnose", run, "--classifiers", "logistic_regression", "--repeats", "1", "--resamples", "20").code == 0
    kept = read_diagnosis(run)
    assert kept is not None
    assert any(findings["flips"] for findings in kept["findings"])
    page = s3("report", run)
    assert page.code == 0, page.err
    text = (run / "report.html").read_text()
    assert "Causes of the wrong diagnoses: logistic regression, fitted on predictions" in text
    lines = [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]
    lines[0]["text"] = "changed"
    (run / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_diagnosis(run) is None


def _blur(vectors):
    draw = np.random.default_rng(1)
    wrong = draw.random(vectors.shape) < 0.25
    vectors[wrong] = 1 - vectors[wrong]
