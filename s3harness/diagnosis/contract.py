"""The contract of a classifier: it fits, and what it gives back is numbers that JSON can hold.

A fitted scikit-learn object is code in disguise: to load one is to run it. So nothing but plain parameters leaves
:meth:`Classifier.fit`, and probabilities are computed from these alone, in the process that fitted and in any other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

from s3harness.errors import PluginError
from s3harness.metrics.base import Array
from s3harness.plugins.manager import load

Parameters = Mapping[str, Any]
"""What JSON can hold, and enough to compute probabilities from."""


class Classifier(ABC):
    """A kind of classifier, of ES against NES, of columns in 0–1.

    ``grid`` holds the settings to choose among, the simplest first; the harness chooses on patients held out within the
    training patients, so a classifier must not choose by itself in any way that looks across patients.
    """

    grid: Sequence[Mapping[str, Any]] = ({},)

    @abstractmethod
    def fit(self, x: Array, y: Array, setting: Mapping[str, Any], seed: int) -> Parameters:
        """Fit on columns (n, k) and truths (n,), 1 for ES; the same input gives the same parameters."""

    @abstractmethod
    def probability(self, parameters: Parameters, x: Array) -> Array:
        """Probability of ES, (n, k) → (n,), in 0–1."""

    @abstractmethod
    def check(self, parameters: Parameters, columns: int) -> None:
        """Raise ``ValueError``, ``KeyError`` or ``TypeError`` unless these are parameters for so many columns."""

    def contributions(self, parameters: Parameters, x: Array) -> Array | None:
        """What each column adds to the log-odds, (n, k), if the log-odds are a sum of columns; otherwise ``None``."""
        return None

    def rules(self, parameters: Parameters, columns: Sequence[str]) -> list[str]:
        """The whole classifier in words, a line each, if it is small enough to be read."""
        return []


def load_classifier(name: str) -> Classifier:
    """The classifier registered by a name."""
    made = cast("Any", load("classifier", name))()
    if not isinstance(made, Classifier):
        raise PluginError(f"classifier {name!r} is a {type(made).__name__}; an s3harness.Classifier is expected")
    return made
