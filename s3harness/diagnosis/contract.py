"""The contract of a classifier: it is fitted to JSON-able parameters, from which probabilities are computed.

A pickled scikit-learn object is code: loading one runs it. So :meth:`Classifier.fit` returns plain parameters, and
probabilities are computed from these alone, in the process that fitted them and in any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

from s3harness.errors import PluginError
from s3harness.metrics.base import Array
from s3harness.plugins.manager import load

Parameters = Mapping[str, Any]
"""JSON-able parameters of a fitted classifier, from which alone probabilities are computed."""


class Classifier(ABC):
    """A kind of classifier of ES against NES, by columns in 0–1.

    ``grid`` holds the settings to choose among, the simplest first. The harness chooses on patients held out within
    the training patients; a classifier must not choose by a cross-validation of its own, which would mix patients.
    """

    grid: Sequence[Mapping[str, Any]] = ({},)

    @abstractmethod
    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """Fit on columns (n, k) and truths (n,), 1 for ES; the same input must give the same parameters."""

    @abstractmethod
    def probability(self, parameters: Parameters, x: Array) -> Array:
        """Return the probability of ES, (n, k) → (n,), in 0–1."""

    @abstractmethod
    def check(self, parameters: Parameters, columns: int) -> None:
        """Raise ``ValueError``, ``KeyError`` or ``TypeError`` unless these are parameters for ``columns`` columns."""

    def contributions(self, parameters: Parameters, x: Array) -> Array | None:
        """Return each column's contribution to the log-odds, (n, k); ``None`` if these are not a sum of columns."""
        # Without a sum, moves are measured by hiding one sign after the other.
        return None

    def rules(self, parameters: Parameters, columns: Sequence[str]) -> list[str]:
        """Return the whole classifier as lines of text, if it is small enough to be read; otherwise no line."""
        return []


def load_classifier(name: str) -> Classifier:
    """Return the classifier that is registered under a name; :class:`PluginError` if the object is none."""
    classifier = cast("Any", load("classifier", name))()
    # Any plugin may register anything: an object of another class would fail much later, within a fold.
    if not isinstance(classifier, Classifier):
        raise PluginError(f"classifier {name!r} is a {type(classifier).__name__}; an s3harness.Classifier is expected")
    return classifier
