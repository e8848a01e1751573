"""The side of a sign: measurements on the patient's left against those on the right.

Every number here changes its sign when the picture is mirrored, and the weighted sum has no intercept, so that the
mirrored clip gets the other side.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import numpy as np

from s3harness import Side
from s3harness_kinematics.grid import Array, Mask
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.parameters import WeightedSum, parameters
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
"""Least sum of both sides by which their difference is divided, so that no movement means no side."""

UNSURE = 0.62
"""A side with less than this probability is "both"."""

USUAL_SIGN = "arm_movement"


def signed_numbers(measured: Measurements) -> dict[str, float]:
    """Return numbers by name, about −1 to 1, that are positive if more is on the patient's left."""
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
    """Return the probability (0–1) that a sign is on the patient's left, from :func:`signed_numbers`."""
    sides = _sides()
    # A sign without weights of its own has those of the arm that moves.
    weighted_sum, spreads = sides.get(sign, sides[USUAL_SIGN])
    return weighted_sum.probability({name: numbers[name] / spread for name, spread in spreads.items()})


def side_of(numbers: Mapping[str, float], sign: str) -> Side:
    """Return left or right, and both if neither is likely enough."""
    left = left_probability(numbers, sign)
    if max(left, 1 - left) < UNSURE:
        return "both"
    return stronger_side(numbers, sign)


def stronger_side(numbers: Mapping[str, float], sign: str) -> Literal["left", "right"]:
    """Return the likelier of two sides, however small the difference."""
    return "left" if left_probability(numbers, sign) > 0.5 else "right"


def sided_signs() -> frozenset[str]:
    """Return the signs that have a side."""
    return frozenset(_sides())


def _change(values: Array, opening: Mask) -> float:
    # A clip shorter than its opening has no "later".
    later = values[~opening] if not opening.all() else values
    return float(np.median(later) - np.median(values[opening]))


@lru_cache(maxsize=1)
def _sides() -> Mapping[str, tuple[WeightedSum, Mapping[str, float]]]:
    entries = parameters()["sides"]
    return {sign: (read_weights(entry), entry["spreads"]) for sign, entry in entries.items()}
