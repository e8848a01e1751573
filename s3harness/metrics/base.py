"""The contract of a metric: additive statistics of the items, and a formula of their sums.

Nearly every score of the benchmark is a function of sums over items: a confusion table, a sum of errors and a count,
n-gram hits. A metric has two steps: :meth:`Metric.statistics` gives each item a row of numbers, and
:meth:`Metric.value` turns sums of such rows into scores, for any leading shape at once. A bootstrap that resamples
patients is then one matrix product, so that thousands of resamples take milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from s3harness.types import Prediction, Reference

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """One item: its truth, and the model's prediction (status ``missing`` where there is none)."""

    reference: Reference
    prediction: Prediction

    @property
    def is_answered(self) -> bool:
        """Return whether there is a value to score; an item without one counts as wrong."""
        return self.prediction.value is not None


Bounds = tuple[float, float]
"""The lowest and the highest value that a score can have; infinite where there is none."""

UNIT_BOUNDS: Mapping[str, Bounds] = {"": (0.0, 1.0), "points": (0.0, 100.0)}
"""Unit → the bounds of a mean of scores in it: shares and points."""


class Metric(Protocol):
    """The interface of a metric plugin; its constructor gets the parameters of the task spec by name.

    A metric that compares answers with each other and has no score of a single answer has ``is_relative = True``: it
    can be no reward. Where the truth, repeated word for word, is no ceiling that a model could reach, a metric may have
    ``ceiling(references)``: it returns the function that gives each reference the best answer to be expected. Such a
    metric must not be ``by_video``, so that it gets all references.

    Two more members are optional and improve its interval (:func:`~s3harness.confidence_intervals.patient_interval`):
    the method ``support(sums)`` takes sums of rows by patient, (patients, k), and returns the items of each patient,
    (patients,), by the name of each class that the score needs: where few patients hold a class, there is no interval
    but a reason that names it. The attribute ``bounds``, a pair :data:`Bounds`, lets an interval end where the score
    must.
    """

    @property
    def higher_is_better(self) -> bool:
        """Return whether a larger value is a better one."""

    @property
    def unit(self) -> str:
        """The unit of the value: empty for a proportion, else "s", "points" and the like."""

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return one row per pair, shape (n, k); a pair that the metric does not score has a row of zeros.

        The width k may depend on the pairs (on the subjects among them, say) and the metric remembers it: rows may
        become wider, but the old columns keep their place. A metric gets all pairs at once, as it may compare each with
        all others. A metric that compares none beyond its video has ``by_video = True`` and gets the pairs of some
        videos at a time, so that a large data set need not be in memory.
        """

    def value(self, totals: Array) -> Array:
        """Return the scores of summed rows: (…, k) → (…); NaN where the score is undefined."""

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return named parts of the score of one summed row of shape (k,): per feature, per class; may be empty."""


@dataclass(frozen=True)
class ItemMean:
    """The mean over items of a score per item; ``score`` returns ``None`` for a pair it does not count."""

    score: Callable[[Pair], float | None]
    higher_is_better: bool = True
    unit: str = ""
    by_video: ClassVar[bool] = True

    @property
    def bounds(self) -> Bounds | None:
        """The bounds of the metric's unit."""
        # A unit without bounds, such as seconds, leaves the interval open.
        return UNIT_BOUNDS.get(self.unit)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the scored items of each patient."""
        return {"": sums[:, 1]}

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return rows of (score, 1), or zeros."""
        scores = [self.score(pair) for pair in pairs]
        # reshape, because no pairs give an array of shape (0,), which has no columns to sum.
        return np.array([(0.0, 0.0) if s is None else (s, 1.0) for s in scores], dtype=np.float64).reshape(-1, 2)

    def value(self, totals: Array) -> Array:
        """Return the sum divided by the count."""
        return safe_ratio(totals[..., 0], totals[..., 1])

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return no parts."""
        return {}


def safe_ratio(numerator: Array, denominator: Array, empty: float = np.nan) -> Array:
    """Return ``numerator / denominator``, and ``empty`` where the denominator is zero."""
    # Filled first: numpy leaves whatever memory held where ``where`` is false.
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), empty, dtype=np.float64)
    return np.divide(numerator, denominator, out=out, where=denominator != 0)
