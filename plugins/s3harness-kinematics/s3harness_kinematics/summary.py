"""Numbers that summarise the measurements of a clip, by name; every judgement rests on them.

Of a series that has a value on each side of the body, ``…+`` is the sum of both sides and ``…|`` their difference,
without its sign. ``rest``, ``usual`` and ``most`` are the lower quartile, the median and the upper decile of a
series, ``burst`` the highest value that lasts for two seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from s3harness_kinematics.dialogue import dialogue_numbers
from s3harness_kinematics.grid import Array
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.series import lasting, smooth

LEVELLED = ("moves_body", "moves_head", "moves_reach", "moves_chest", "moves_shoulder", "moves_leg", "mirrored")
SHIFTED = ("posture_head", "posture_reach", "posture_chest", "posture_shoulder", "posture_leg")
FACIAL = ("eye", "eye_white", "eye_dark", "eye_moves", "mouth", "teeth", "mouth_moves", "face_moves")
WANDERING = ("yaw", "shade", "head_x", "head_y")
SIDED = ("posture_reach", "posture_chest", "posture_shoulder", "moves_reach", "moves_chest", "moves_leg", "mouth")

LASTING_S = 2.0


def summarise(measured: Measurements) -> dict[str, float]:
    """Return all numbers of a clip by name; all are finite, for a single frame too."""
    numbers: dict[str, float] = {"log_duration": float(np.log(max(measured.duration_s, 1.0)))}
    for name in LEVELLED:
        numbers |= _levels(name, both_sides(measured.tracks, name), measured.times)
    for name in SHIFTED:
        numbers |= _shift(name, both_sides(measured.tracks, name), measured.times)
    for name in FACIAL:
        numbers |= _levels(name, both_sides(measured.tracks, name), measured.times)
    for name in WANDERING:
        numbers |= _wander(name, measured.tracks[name], measured.times)
    for name in SIDED:
        left, right = one_side(measured.tracks, name, "left"), one_side(measured.tracks, name, "right")
        # Without its sign: a sign on the left must be as likely as the same one on the right.
        numbers[f"{name}|most"] = float(np.percentile(np.abs(smooth(left - right, 1)), 90))
    for part, rhythm in measured.rhythms.items():
        numbers |= {f"{part}_{name}": value for name, value in rhythm.items()}
    return numbers | dialogue_numbers(measured.voice, measured.duration_s)


def both_sides(tracks: Mapping[str, Array], name: str) -> Array:
    """Return a track, or the sum of its two sides."""
    return tracks[name] if name in tracks else one_side(tracks, name, "left") + one_side(tracks, name, "right")


def one_side(tracks: Mapping[str, Array], name: str, side: str) -> Array:
    """Return the track of one of the patient's sides."""
    return tracks[f"{name}_{side}"]


def _levels(name: str, values: Array, times: Array) -> dict[str, float]:
    # Without the first frame, in which nothing can have moved since the frame before.
    moving = values[1:] if len(values) > 1 else values
    rest, usual, most = (float(level) for level in np.percentile(moving, (25, 50, 90)))
    burst = float(lasting(moving, times, LASTING_S).max())
    steps = float(np.abs(np.diff(moving)).mean()) if len(moving) > 1 else 0.0
    return {f"{name}+rest": rest, f"{name}+usual": usual, f"{name}+most": most, f"{name}+burst": burst} | {
        f"{name}+steps": steps
    }


def _shift(name: str, values: Array, times: Array) -> dict[str, float]:
    steady = lasting(values, times, LASTING_S)
    usual, most = (float(level) for level in np.percentile(steady, (50, 90)))
    return {f"{name}+usual": usual, f"{name}+most": most, f"{name}+end": float(np.median(values[-3:]))}


def _wander(name: str, values: Array, times: Array) -> dict[str, float]:
    steady = lasting(values, times, LASTING_S)
    away = np.abs(steady - np.median(steady))
    return {
        f"{name}|far": float(np.percentile(away, 95)),
        f"{name}|off": float(np.abs(np.median(steady))),
        f"{name}|spread": float(values.std()),
        f"{name}|steps": float(np.abs(np.diff(values)).mean()) if len(values) > 1 else 0.0,
    }
