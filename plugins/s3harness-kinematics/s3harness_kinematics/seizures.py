"""Seizures in a clip of a long recording: spans in which the probability of a seizure at each moment stays high.

The probability is a logistic regression on the movement of each part of the body in the seconds around a moment, as it
is and against what is usual in the clip: who eats moves one arm and the mouth for long, a seizure takes all parts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from s3harness_kinematics.grid import Array
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.parameters import Scales, WeightedSum, parameters, scales, standardised, weights
from s3harness_kinematics.series import stretches

AROUND_S = 6.0
"""Seconds before and after a moment that its numbers are the mean of."""
BRIDGED_S, SHORTEST_S = 12.0, 8.0
"""A gap in a seizure that is bridged, and the shortest span that counts as one."""

_PARTS = ("reach", "chest", "shoulder", "leg")
_WHOLE = ("moves_head", "moves_body", "face_moves", "mirrored")


def seizure_spans(measured: Measurements) -> list[tuple[float, float]]:
    """Return (start, end) of each seizure in a clip, in seconds from its start, ascending; none for a single frame."""
    if len(measured.times) < 2:
        return []
    weighted_sum, usual = detector()
    table = moment_numbers(measured)
    # Row by row: a clip has tens of moments.
    chances = np.array(
        [
            weighted_sum.probability(standardised(dict(zip(table, row, strict=True)), usual))
            for row in np.stack(list(table.values()), axis=1)
        ]
    )
    spans = stretches(measured.times, chances >= weighted_sum.threshold, BRIDGED_S)
    return [(start, min(end, measured.duration_s)) for start, end in spans if end - start >= SHORTEST_S]


def moment_numbers(measured: Measurements) -> dict[str, Array]:
    """Return the numbers of each frame's moment by name, shape (frames,): shares of cells that moved."""
    tracks = measured.tracks
    moving = {name: tracks[name] for name in _WHOLE}
    for part in _PARTS:
        left, right = tracks[f"moves_{part}_left"], tracks[f"moves_{part}_right"]
        # Both sides move in most seizures, one in most of what is ordinary.
        moving |= {f"{part}_more": np.maximum(left, right), f"{part}_less": np.minimum(left, right)}
    for part in ("eye", "mouth"):
        moving[part] = tracks[f"{part}_moves_left"] + tracks[f"{part}_moves_right"]
    numbers: dict[str, Array] = {}
    for name, track in moving.items():
        around = _around(measured.times, np.asarray(track, np.float64))
        numbers |= {name: around, f"{name}_against_clip": around - np.median(around)}
    return numbers


def _around(times: Array, values: Array) -> Array:
    """The mean of each value's neighbours within :data:`AROUND_S`."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(times, times - AROUND_S)
    last = np.searchsorted(times, times + AROUND_S, side="right")
    return np.asarray((total[last] - total[first]) / (last - first))


@lru_cache(maxsize=1)
def detector() -> tuple[WeightedSum, Scales]:
    """Return the calibrated weights and scales."""
    entry = parameters()["seizures"]
    return weights(entry), scales(entry["scales"])
