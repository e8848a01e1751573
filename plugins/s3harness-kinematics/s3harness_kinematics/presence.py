"""Whether each sign is there: a logistic regression on the numbers of a clip, calibrated for several frame rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from s3harness_kinematics.parameters import Scales, Weights, parameters, scales, standardised, weights


@dataclass(frozen=True, slots=True)
class Presence:
    """How likely a sign is (0–1), and whether that is enough to say yes."""

    probability: float
    is_found: bool


@dataclass(frozen=True, slots=True)
class Detectors:
    """The weights of every sign for clips of about ``rate`` frames a second."""

    rate: float
    scales: Scales
    signs: Mapping[str, Weights]


def presences(numbers: Mapping[str, float], rate: float) -> dict[str, Presence]:
    """Each sign's presence in a clip, by the detectors for the nearest frame rate."""
    chosen = min(detectors(), key=lambda one: abs(math.log(max(rate, 0.01) / one.rate)))
    standard = standardised(numbers, chosen.scales)
    found = {}
    for sign, weighed in chosen.signs.items():
        probability = weighed.probability(standard)
        found[sign] = Presence(probability, probability >= weighed.threshold)
    return found


@lru_cache(maxsize=1)
def detectors() -> tuple[Detectors, ...]:
    """The detectors by frame rate."""
    return tuple(
        Detectors(float(rate), scales(entry["scales"]), {sign: weights(one) for sign, one in entry["signs"].items()})
        for rate, entry in parameters()["presence"].items()
    )
