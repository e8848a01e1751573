"""The built-in classifiers, fitted by scikit-learn: logistic regression, a shallow tree, a random forest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from s3harness.diagnosis.contract import Classifier, Parameters
from s3harness.diagnosis.trees import check_trees, tree_rules, trees_parameters, trees_probability
from s3harness.metrics.base import Array

TREES = 64


class LogisticRegression(Classifier):
    """Logistic regression with an L2 penalty; its log-odds are a sum over the signs, so explanations are exact."""

    grid = ({"C": 0.03}, {"C": 0.1}, {"C": 0.3}, {"C": 1.0}, {"C": 3.0})

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """``intercept``, and ``coefficients`` of the columns."""
        from sklearn.linear_model import LogisticRegression as Estimator

        fitted = _fitted(Estimator(**setting, max_iter=1000), x, y)
        return {"intercept": float(fitted.intercept_[0]), "coefficients": fitted.coef_[0].tolist()}

    def probability(self, parameters: Parameters, x: Array) -> Array:
        """The logistic function of the log-odds."""
        from scipy.special import expit

        log_odds = parameters["intercept"] + x @ np.asarray(parameters["coefficients"])
        return np.asarray(expit(log_odds), dtype=np.float64)

    def check(self, parameters: Parameters, columns: int) -> None:
        """One finite coefficient a column."""
        numbers = np.asarray([parameters["intercept"], *parameters["coefficients"]], dtype=np.float64)
        if numbers.shape != (columns + 1,) or not np.isfinite(numbers).all():
            raise ValueError("its coefficients are not one finite number per column")

    def contributions(self, parameters: Parameters, x: Array) -> Array:
        """Coefficient × column."""
        return np.asarray(x * np.asarray(parameters["coefficients"]), dtype=np.float64)

    def rules(self, parameters: Parameters, columns: Sequence[str]) -> list[str]:
        """The log-odds, the heaviest columns first."""
        terms = sorted(zip(parameters["coefficients"], columns, strict=True), key=lambda term: -abs(term[0]))
        return [f"{parameters['intercept']:+.2f} to begin with", *(f"{weight:+.2f} {title}" for weight, title in terms)]


class ShallowTree(Classifier):
    """A decision tree of at most three questions, which can be read as a list of rules."""

    grid = tuple({"max_depth": depth, "min_samples_leaf": leaf} for depth in (1, 2, 3) for leaf in (10, 5))

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """One tree, its shares smoothed."""
        from sklearn.tree import DecisionTreeClassifier

        fitted = _fitted(DecisionTreeClassifier(**setting, random_state=seed), x, y)
        return trees_parameters([fitted], smoothed=True)

    def probability(self, parameters: Parameters, x: Array) -> Array:
        """The smoothed share of the leaf."""
        return trees_probability(parameters, x)

    def check(self, parameters: Parameters, columns: int) -> None:
        """Whether it is a tree."""
        check_trees(parameters, columns)

    def rules(self, parameters: Parameters, columns: Sequence[str]) -> list[str]:
        """A rule per leaf."""
        return tree_rules(parameters, columns)


class RandomForest(Classifier):
    """A random forest; its probability is the mean of its trees'."""

    grid = ({"min_samples_leaf": 8}, {"min_samples_leaf": 3})

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """All trees."""
        from sklearn.ensemble import RandomForestClassifier

        fitted = _fitted(RandomForestClassifier(TREES, **setting, random_state=seed), x, y)
        return trees_parameters(fitted.estimators_)

    def probability(self, parameters: Parameters, x: Array) -> Array:
        """The mean over the trees."""
        return trees_probability(parameters, x)

    def check(self, parameters: Parameters, columns: int) -> None:
        """Whether they are trees."""
        check_trees(parameters, columns)


def _fitted(estimator: Any, x: Array, y: Array) -> Any:
    """The estimator, fitted without the checks of what is known to be right; on so few cases they take most time."""
    from sklearn import config_context

    with config_context(assume_finite=True, skip_parameter_validation=True):
        return estimator.fit(x, y)
