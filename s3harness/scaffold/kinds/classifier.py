"""A classifier: distinguish ES from NES by the signs that a model reported."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import s3harness

Array = NDArray[np.float64]


class NewcomerClassifier(s3harness.Classifier):
    """Naive Bayes on columns in 0–1: each sign's weight is the log of its likelihood ratio."""

    grid = ({"pseudocounts": 1.0}, {"pseudocounts": 0.1})

    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        """Return weights from counts, with ``pseudocounts`` added to each count, as plain numbers for JSON."""
        # Without pseudocounts a sign that one class never shows would have an infinite weight.
        added = float(setting["pseudocounts"])
        share = {es: (x[y == es].sum(axis=0) + added) / ((y == es).sum() + 2 * added) for es in (0, 1)}
        present, absent = np.log(share[1] / share[0]), np.log((1 - share[1]) / (1 - share[0]))
        prior = np.log((y.sum() + added) / (len(y) - y.sum() + added))
        return {"weights": (present - absent).tolist(), "intercept": float(prior + absent.sum())}

    def probability(self, parameters: Mapping[str, Any], x: Array) -> Array:
        """Return the logistic function of the intercept plus the weighted signs."""
        # Clipped, because exp() overflows beyond 709.
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
        """Return each sign's contribution to the log-odds."""
        return np.asarray(x * np.asarray(parameters["weights"]), dtype=np.float64)
