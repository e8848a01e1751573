"""A classifier: what tells ES from NES by the signs that a model saw."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import s3harness

Array = NDArray[np.float64]


class NewcomerClassifier(s3harness.Classifier):
    """Naive Bayes of columns in 0–1: each sign weighs as the log of its likelihood ratio, whatever the others say."""

    grid = ({"pseudocounts": 1.0}, {"pseudocounts": 0.1})

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        """The weights by counting, with ``pseudocounts`` added to each count; numbers that JSON can hold."""
        added = float(setting["pseudocounts"])
        share = {es: (x[y == es].sum(axis=0) + added) / ((y == es).sum() + 2 * added) for es in (0, 1)}
        present, absent = np.log(share[1] / share[0]), np.log((1 - share[1]) / (1 - share[0]))
        prior = np.log((y.sum() + added) / (len(y) - y.sum() + added))
        return {"weights": (present - absent).tolist(), "intercept": float(prior + absent.sum())}

    def probability(self, parameters: Mapping[str, Any], x: Array) -> Array:
        """The logistic function of the intercept and the weights of the signs."""
        odds = np.clip(x @ np.asarray(parameters["weights"]) + parameters["intercept"], -500, 500)
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)

    def check(self, parameters: Mapping[str, Any], columns: int) -> None:
        """Raise ``ValueError``, ``KeyError`` or ``TypeError`` unless these are parameters for so many columns."""
        if (
            len(parameters["weights"]) != columns
            or not np.isfinite([*parameters["weights"], parameters["intercept"]]).all()
        ):
            raise ValueError(f"weights of {columns} columns and an intercept are expected")

    def contributions(self, parameters: Mapping[str, Any], x: Array) -> Array | None:
        """What each sign adds to the log-odds."""
        return np.asarray(x * np.asarray(parameters["weights"]), dtype=np.float64)
