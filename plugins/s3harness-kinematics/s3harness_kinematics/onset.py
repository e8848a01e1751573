"""When something begins or ends: the median of a probability over the moments of a clip.

How likely each moment is comes from the changes around it and from its place in the clip (a conditional logit, that
is the softmax of a weighed sum of :func:`~.changes.change_features`). Its median is the estimate with the least mean
absolute error: near a clear change it is that change, and the less the changes say the more it draws back to where
such moments usually lie.
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
    """Finds the moments of one clip."""

    def __init__(self, measured: Measurements) -> None:
        self._edges, features, names = change_features(measured)
        self._duration_s = measured.duration_s
        usual, spread = scales(tuple(names))
        self._features = np.clip((features - usual) / spread, -FARTHEST, FARTHEST)
        self._names = tuple(names)

    def of(self, subject: str) -> float:
        """Seconds from the clip's start at which ``subject`` (a sign, ``seizure_onset``, ``seizure_offset``) comes."""
        scores = self._features @ _weights(subject, self._names)
        return min(max(median(self._edges, probabilities(scores)), 0.0), self._duration_s)


def probabilities(scores: Array) -> Array:
    """The softmax of scores."""
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum())


def median(edges: Array, chances: Array) -> float:
    """The median of chances that are each spread evenly between two edges."""
    below = np.concatenate([[0.0], np.cumsum(chances)])
    return float(np.interp(0.5, below / below[-1], edges))


@lru_cache(maxsize=8)
def scales(names: tuple[str, ...]) -> tuple[Array, Array]:
    """Usual value and spread of the named features; 0 and 1 for those that are not known."""
    known: Mapping[str, tuple[float, float]] = parameters()["moments"]["scales"]
    pairs = np.array([known.get(name, (0.0, 1.0)) for name in names])
    return pairs[:, 0], pairs[:, 1]


@lru_cache(maxsize=64)
def _weights(subject: str, names: tuple[str, ...]) -> Array:
    """The weights of a subject; those that all onsets share for one that was not calibrated."""
    known = parameters()["moments"]["subjects"]
    own: Mapping[str, float] = known.get(subject, known["seizure_onset"])
    return np.array([own.get(name, 0.0) for name in names])
