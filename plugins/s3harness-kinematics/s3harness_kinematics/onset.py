"""Onset and offset of a sign or seizure: the median of a probability over the moments of a clip.

The probability of a moment depends on the changes around it and on its place in the clip (a conditional logit, that is
the softmax of a weighted sum of :func:`~.changes.change_features`). Its median is the estimate with the least mean
absolute error: close to a clear change, and otherwise close to the usual place of such moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from s3harness_kinematics.changes import change_features
from s3harness_kinematics.grid import Array
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.parameters import parameters

FARTHEST = 5.0


class Moments:
    """Estimates of onsets and offsets in one clip."""

    def __init__(self, measured: Measurements) -> None:
        self._edges, features, names = change_features(measured)
        self._duration_s = measured.duration_s
        usual, spread = scales(tuple(names))
        # Clipped: one outlier of a short clip must not outweigh all other evidence.
        self._features = np.clip((features - usual) / spread, -FARTHEST, FARTHEST)
        self._names = tuple(names)

    def of(self, subject: str) -> float:
        """Return the seconds from the clip's start to ``subject``: a sign, ``seizure_onset`` or ``seizure_offset``."""
        scores = self._features @ _weights(subject, self._names)
        return min(max(median(self._edges, probabilities(scores)), 0.0), self._duration_s)


def probabilities(scores: Array) -> Array:
    """Return the softmax of scores."""
    # Less the maximum, which cancels out: exp of a large score would overflow.
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum())


def median(edges: Array, probability: Array) -> float:
    """Return the median of probabilities that are each spread evenly between two edges."""
    below = np.concatenate([[0.0], np.cumsum(probability)])
    return float(np.interp(0.5, below / below[-1], edges))


@lru_cache(maxsize=8)
def scales(names: tuple[str, ...]) -> tuple[Array, Array]:
    """Return usual value and spread of the named features; 0 and 1 for features without parameters."""
    entries: Mapping[str, tuple[float, float]] = parameters()["moments"]["scales"]
    pairs = np.array([entries.get(name, (0.0, 1.0)) for name in names])
    return pairs[:, 0], pairs[:, 1]


@lru_cache(maxsize=64)
def _weights(subject: str, names: tuple[str, ...]) -> Array:
    """Weights of a subject; a subject that was not calibrated has those of the seizure's onset."""
    subjects = parameters()["moments"]["subjects"]
    own: Mapping[str, float] = subjects.get(subject, subjects["seizure_onset"])
    return np.array([own.get(name, 0.0) for name in names])
