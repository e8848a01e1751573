"""Presence of each sign: a logistic regression on the numbers of a clip, calibrated for several frame rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from s3harness_kinematics.parameters import Scales, WeightedSum, parameters, scales, standardised, weights


@dataclass(frozen=True, slots=True)
class Presence:
    """The probability of a sign (0–1), and ``True`` if it reaches the threshold for yes."""

    probability: float
    is_likely: bool


@dataclass(frozen=True, slots=True)
class Detectors:
    """The weights of every sign for clips of about ``rate`` frames a second."""

    rate: float
    scales: Scales
    signs: Mapping[str, WeightedSum]


def presences(numbers: Mapping[str, float], rate: float) -> dict[str, Presence]:
    """Return the presence of each sign in a clip, by the detectors for the nearest frame rate."""
    # Nearest as a ratio: from 1 to 2 frames per second more changes than from 9 to 10.
    chosen = min(detectors(), key=lambda one: abs(math.log(max(rate, 0.01) / one.rate)))
    standard = standardised(numbers, chosen.scales)
    by_sign = {}
    for sign, weighted_sum in chosen.signs.items():
        probability = weighted_sum.probability(standard)
        by_sign[sign] = Presence(probability, probability >= weighted_sum.threshold)
    return by_sign


@lru_cache(maxsize=1)
def detectors() -> tuple[Detectors, ...]:
    """Return the detectors of every calibrated frame rate."""
    return tuple(
        Detectors(float(rate), scales(entry["scales"]), {sign: weights(one) for sign, one in entry["signs"].items()})
        for rate, entry in parameters()["presence"].items()
    )
