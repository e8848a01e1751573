"""A classifier is its plain numbers: they give what scikit-learn gives, and wrong ones are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from diagnosis_cases import cases_of, telling

from s3harness.diagnosis.cases import UNANSWERED, UNTESTED, presence, presence_of_truth
from s3harness.diagnosis.contract import Classifier, load_classifier
from s3harness.diagnosis.encoding import encoder_from, learn_encoder, levels
from s3harness.errors import PluginError
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import BUILTIN, RegistryEntry
from s3harness.types import Prediction

NAMES = ("logistic_regression", "shallow_tree", "random_forest")


def estimator(name, setting, seed):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    return {
        "logistic_regression": lambda: LogisticRegression(**setting, max_iter=1000),
        "shallow_tree": lambda: DecisionTreeClassifier(**setting, random_state=seed),
        "random_forest": lambda: RandomForestClassifier(25, **setting, random_state=seed),
    }[name]()


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_alone_give_the_probabilities_of_scikit_learn(name):
    made, draw = load_classifier(name), np.random.default_rng(1)
    x, fresh = draw.random((120, 7)), draw.random((300, 7))
    y = (x[:, 0] + 0.3 * draw.random(120) > 0.6).astype(float)
    for setting in made.grid:
        parameters = json.loads(json.dumps(made.fit(x, y, setting, 3)))
        made.check(parameters, 7)
        fitted = estimator(name, setting, 3).fit(x, y)
        expected = fitted.predict_proba(fresh)[:, 1]
        if name == "shallow_tree":
            counts = fitted.tree_.n_node_samples[fitted.apply(fresh)]
            expected = (expected * counts + 1) / (counts + 2)
        np.testing.assert_allclose(made.probability(parameters, fresh), expected, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_columns_at_a_threshold_fall_as_in_scikit_learn(name):
    made = load_classifier(name)
    x = np.array([[0.1], [0.2], [0.3], [0.4]] * 15)
    y = (x[:, 0] > 0.2).astype(float)
    parameters = made.fit(x, y, made.grid[-1], 0)
    fitted = estimator(name, made.grid[-1], 0).fit(x, y)
    said, expected = made.probability(parameters, x) > 0.5, fitted.predict_proba(x)[:, 1] > 0.5
    assert (said == expected).all()


def broken(parameters, **changes):
    return {**parameters, **changes}


def test_parameters_that_are_none_are_refused():
    made, x = load_classifier("shallow_tree"), np.random.default_rng(0).random((60, 3))
    tree = made.fit(x, (x[:, 0] > 0.5).astype(float), {"max_depth": 2, "min_samples_leaf": 5}, 0)
    made.check(tree, 3)
    wrong = [
        broken(tree, left=[0, *tree["left"][1:]]),
        broken(tree, left=[10**6, *tree["left"][1:]]),
        broken(tree, feature=[3, *tree["feature"][1:]]),
        broken(tree, feature=[0.5, *tree["feature"][1:]]),
        broken(tree, value=[2.0] * len(tree["value"])),
        broken(tree, value=tree["value"][1:]),
        broken(tree, threshold=[float("nan")] * len(tree["value"])),
        broken(tree, roots=[]),
        broken(tree, roots=[len(tree["value"])]),
    ]
    for parameters in wrong:
        with pytest.raises(ValueError, match=r"\w"):
            made.check(parameters, 3)
    with pytest.raises(ValueError, match="one finite number per column"):
        load_classifier("logistic_regression").check({"intercept": 0.0, "coefficients": [1.0]}, 2)


def test_a_tree_is_read_as_rules_that_say_what_it_does():
    made, cases = load_classifier("shallow_tree"), telling(patients=20, signs=2)
    encoder = learn_encoder(cases)
    x = encoder.encode(cases)
    parameters = made.fit(x, cases.truth, {"max_depth": 1, "min_samples_leaf": 5}, 0)
    yes, no = made.rules(parameters, encoder.titles())
    sign = yes.removeprefix("if ").split(":")[0]
    assert no.startswith(f"if not {sign}:")
    has = x[:, encoder.titles().index(sign)] == 1
    assert yes.endswith(f"{made.probability(parameters, x)[has][0]:.2f}")


def test_signs_become_columns_as_they_were_answered():
    vectors = [[1, UNTESTED, 1], [0, 1, UNANSWERED], [0.25, UNTESTED, 1], [1, 0, 1]]
    cases = cases_of(vectors, [1, 0, 1, 0], signs=("tonic", "clonic", "figure4"))
    encoder = learn_encoder(cases)
    assert encoder.titles() == ["tonic", "clonic", "clonic untested", "figure4 unanswered"]
    expected = [[1, 0.5, 1, 0], [0, 1, 0, 1], [0.25, 0.5, 1, 0], [1, 0, 0, 0]]
    np.testing.assert_array_equal(encoder.encode(cases), expected)
    assert encoder.encode(cases.of_signs(["clonic"])).tolist()[0] == [0.5625, 0.5, 1, 1]
    assert encoder_from(json.loads(json.dumps({k: getattr(encoder, k) for k in encoder.__slots__}))) == encoder


@pytest.mark.parametrize(
    ("prediction", "number"),
    [
        (Prediction("", "yes"), 1.0),
        (Prediction("", "no"), 0.0),
        (Prediction("", "na"), UNTESTED),
        (Prediction("", None, "failed"), UNANSWERED),
        (Prediction("", "perhaps"), UNANSWERED),
        (Prediction("", "yes", probability=0.7), 0.7),
        (Prediction("", "no", probability=0.7), 0.7),
        (Prediction("", "no", probability=float("nan")), 0.0),
        (Prediction("", None, "failed", probability=0.7), UNANSWERED),
    ],
)
def test_what_a_prediction_is_in_a_vector(prediction, number):
    assert presence(prediction) == number


def test_what_an_annotation_is_in_a_vector():
    assert [presence_of_truth(word) for word in ("yes", "no", "untested", None)] == [1.0, 0.0, UNTESTED, UNANSWERED]


def test_levels_are_shares_that_add_up():
    assert dict(levels(np.array([1.0, 1, 0, UNTESTED]))) == {0.0: 0.25, 1.0: 0.5, UNTESTED: 0.25}
    many = levels(np.random.default_rng(0).random(1000))
    assert len(many) == 8
    assert sum(share for _, share in many) == pytest.approx(1)
    assert sum(value * share for value, share in many) == pytest.approx(0.5, abs=0.02)


class Prevalence(Classifier):
    """A plugin's: the share of ES among the training cases, whatever the signs."""

    def fit(self, x, y, setting, seed):
        return {"share": float(y.mean())}

    def probability(self, parameters, x):
        return np.full(len(x), parameters["share"])

    def check(self, parameters, columns):
        if not 0 <= parameters["share"] <= 1:
            raise ValueError("no share")


@pytest.fixture
def registered(monkeypatch):
    def register(name):
        entry = RegistryEntry(kind="classifier", name=name, target=f"{__name__}:{name}", package=BUILTIN, version="1")
        monkeypatch.setitem(manager().registry.entries, ("classifier", name), entry)

    return register


def test_a_classifier_of_a_plugin_is_fitted_like_any_other(registered):
    from s3harness.diagnosis.crossfit import cross_fit, diagnose_out_of_fold
    from s3harness.diagnosis.folds import deal_folds

    registered("Prevalence")
    cases = telling(patients=12)
    folds = cross_fit(cases, cases, deal_folds(cases, 3, 0), "Prevalence", 0)
    found = diagnose_out_of_fold([folds], cases)
    for fold in folds:
        assert np.allclose(found.probability[0, fold.held_out], cases.truth[~fold.held_out].mean())


def test_what_is_no_classifier_is_refused_by_name(registered):
    registered("NAMES_OF_NOTHING")
    with pytest.raises(PluginError, match=r"'NAMES_OF_NOTHING' is no s3harness\.Classifier but dict"):
        load_classifier("NAMES_OF_NOTHING")


NAMES_OF_NOTHING = dict
