"""The built-in classifiers, fitted by scikit-learn: logistic regression, a shallow tree, a random forest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from s3harness.diagnosis.contract import Classifier, Parameters
from s3harness.diagnosis.trees import check_trees, tree_rules, trees_parameters, trees_probability
from s3harness.metrics.base import Array

TREES = 64
"""Trees of a random forest."""


class LogisticRegression(Classifier):
    """Logistic regression with an L2 penalty; its log-odds are a sum over the signs, so explanations are exact."""

    grid = ({"C": 0.03}, {"C": 0.1}, {"C": 0.3}, {"C": 1.0}, {"C": 3.0})

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """Return ``intercept``, and the ``coefficients`` of the columns."""
        # scikit-learn is slow to import, and only fitting needs it.
        from sklearn.linear_model import LogisticRegression as Estimator

        # At scikit-learn's default of 100 iterations lbfgs may end before it has converged.
        fitted = _fit(Estimator(**setting, max_iter=1000), x, y)
        return {"intercept": float(fitted.intercept_[0]), "coefficients": fitted.coef_[0].tolist()}

    def probability(self, parameters: Parameters, x: Array) -> Array:
        """Return the logistic function of the log-odds."""
        from scipy.special import expit

        log_odds = parameters["intercept"] + x @ np.asarray(parameters["coefficients"])
        return np.asarray(expit(log_odds), dtype=np.float64)

    def check(self, parameters: Parameters, columns: int) -> None:
        """Raise ``ValueError`` unless there is one finite coefficient per column."""
        numbers = np.asarray([parameters["intercept"], *parameters["coefficients"]], dtype=np.float64)
        if numbers.shape != (columns + 1,) or not np.isfinite(numbers).all():
            raise ValueError("its coefficients are not one finite number per column")

    def contributions(self, parameters: Parameters, x: Array) -> Array:
        """Return coefficient × column."""
        return np.asarray(x * np.asarray(parameters["coefficients"]), dtype=np.float64)

    def rules(self, parameters: Parameters, columns: Sequence[str]) -> list[str]:
        """Return the terms of the log-odds, those with the largest coefficients first."""
        terms = sorted(zip(parameters["coefficients"], columns, strict=True), key=lambda term: -abs(term[0]))
        return [f"{parameters['intercept']:+.2f} to begin with", *(f"{weight:+.2f} {title}" for weight, title in terms)]


class ShallowTree(Classifier):
    """A decision tree of depth three at most, which can be read as a list of rules."""

    grid = tuple({"max_depth": depth, "min_samples_leaf": leaf} for depth in (1, 2, 3) for leaf in (10, 5))

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """Return the parameters of one tree, with smoothed shares of ES in its leaves."""
        from sklearn.tree import DecisionTreeClassifier

        fitted = _fit(DecisionTreeClassifier(**setting, random_state=seed), x, y)
        return trees_parameters([fitted], smoothed=True)

    def probability(self, parameters: Parameters, x: Array) -> Array:
        """Return the smoothed share of ES in the leaf of each case."""
        return trees_probability(parameters, x)

    def check(self, parameters: Parameters, columns: int) -> None:
        """Raise ``ValueError`` unless the parameters are a tree."""
        check_trees(parameters, columns)

    def rules(self, parameters: Parameters, columns: Sequence[str]) -> list[str]:
        """Return one rule per leaf."""
        return tree_rules(parameters, columns)


class RandomForest(Classifier):
    """A random forest, whose probability is the mean over its trees."""

    grid = ({"min_samples_leaf": 8}, {"min_samples_leaf": 3})

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """Return the parameters of all trees."""
        from sklearn.ensemble import RandomForestClassifier

        fitted = _fit(RandomForestClassifier(TREES, **setting, random_state=seed), x, y)
        # Not smoothed: the mean over many trees is seldom 0 or 1.
        return trees_parameters(fitted.estimators_)

    def probability(self, parameters: Parameters, x: Array) -> Array:
        """Return the mean over the trees of the share of ES in the leaf of each case."""
        return trees_probability(parameters, x)

    def check(self, parameters: Parameters, columns: int) -> None:
        """Raise ``ValueError`` unless the parameters are trees."""
        check_trees(parameters, columns)


def _fit(estimator: Any, x: Array, y: Array) -> Any:
    """Return the estimator, fitted."""
    from sklearn import config_context

    # Columns are finite and settings come from the grid: on so few cases scikit-learn's checks take most of the time.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return estimator.fit(x, y)
