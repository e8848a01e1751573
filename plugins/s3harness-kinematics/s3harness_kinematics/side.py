"""On which of the patient's sides: what is on the left against what is on the right.

Every number here changes its sign when the picture is mirrored, and the weighed sum has no intercept, so that the
mirrored clip is on the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import numpy as np

from s3harness import Side
from s3harness_kinematics.grid import Array, Mask
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.parameters import Weights, parameters
from s3harness_kinematics.parameters import weights as read_weights

DIRECTED = ("yaw", "shade", "head_x", "lean")
PAIRED = (
    "posture_reach",
    "posture_chest",
    "posture_shoulder",
    "posture_leg",
    "moves_reach",
    "moves_chest",
    "moves_shoulder",
    "moves_leg",
    "mouth",
    "mouth_moves",
    "eye",
)
OPENING_S = 2.0
SMALLEST = {"posture": 1.0, "moves": 0.005, "mouth": 0.02, "eye": 0.02}
"""What is added to the sum of both sides before their difference is divided by it, so that nothing is no side."""

UNSURE = 0.62
"""A side with less than this probability is "both" where both can be."""

USUAL_SIGN = "arm_movement"


def signed_numbers(measured: Measurements) -> dict[str, float]:
    """Numbers of a clip that are positive where more is on the patient's left; name → about −1 to 1."""
    numbers: dict[str, float] = {}
    opening = measured.times <= measured.times[0] + OPENING_S
    for name in DIRECTED:
        values = measured.tracks[name]
        numbers |= {name: float(values.mean()), f"{name} change": float(_change(values, opening))}
    for name in PAIRED:
        left, right = measured.tracks[f"{name}_left"], measured.tracks[f"{name}_right"]
        least = SMALLEST[name.split("_")[0]]
        numbers[name] = float((left.mean() - right.mean()) / (left.mean() + right.mean() + least))
        difference = (left - right) / (np.mean(left + right) + least)
        numbers[f"{name} change"] = float(_change(difference, opening))
    return numbers


def left_probability(numbers: Mapping[str, float], sign: str) -> float:
    """How likely (0–1) a sign is on the patient's left, from :func:`signed_numbers`."""
    sides = _sides()
    weighed, spreads = sides.get(sign, sides[USUAL_SIGN])
    return weighed.probability({name: numbers[name] / spread for name, spread in spreads.items()})


def side_of(numbers: Mapping[str, float], sign: str) -> Side:
    """Left, right, or both where neither is clear."""
    left = left_probability(numbers, sign)
    if max(left, 1 - left) < UNSURE:
        return "both"
    return stronger_side(numbers, sign)


def stronger_side(numbers: Mapping[str, float], sign: str) -> Literal["left", "right"]:
    """One of two sides, however small the difference."""
    return "left" if left_probability(numbers, sign) > 0.5 else "right"


def sided_signs() -> frozenset[str]:
    """The signs that have a side."""
    return frozenset(_sides())


def _change(values: Array, opening: Mask) -> float:
    later = values[~opening] if not opening.all() else values
    return float(np.median(later) - np.median(values[opening]))


@lru_cache(maxsize=1)
def _sides() -> Mapping[str, tuple[Weights, Mapping[str, float]]]:
    found = parameters()["sides"]
    return {sign: (read_weights(entry), entry["spreads"]) for sign, entry in found.items()}
