"""Numbers that sum up what was seen and heard of a clip, by name; the rules on the signs are written in them.

``rest``, ``usual``, ``most`` and ``burst`` of a part are the lower quartile, the median, the upper decile and the
highest lasting value of how much of it moves from frame to frame (0–1).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from s3harness.backends.kinematics.motion import Motion
from s3harness.backends.kinematics.picture import Array
from s3harness.backends.kinematics.series import smooth
from s3harness.backends.kinematics.voice import Voice

LASTING_FRAMES = 2
"""A value lasts if the running median over twice as many frames and one has it: 2.5 s at two frames a second."""

EYES_OPEN = 0.22
"""Openness (see :class:`Motion`) above which both eyes are open; pupils and whites are then a fifth of the band."""

_ALMOST_STILL = 0.01


def summarise(motion: Motion, voice: Voice) -> dict[str, float]:
    """All the numbers of a clip, name → value; all are finite, for a single frame too."""
    legs_to_arms = _most(legs(motion)) / (_most(arms(motion)) + _ALMOST_STILL)
    return {
        **_levels("body", motion.energy),
        **_levels("arms", arms(motion)),
        **_levels("legs", legs(motion)),
        **_levels("head", motion.parts["head"]),
        **_levels("eyes", motion.eyes),
        **_levels("mouth", motion.mouth),
        **_face(motion),
        **_shifts(motion.posture),
        "legs_to_arms": legs_to_arms,
        "roughness": roughness(motion.energy[1:]),
        "duration_s": motion.duration_s,
        "voiced_s": voice.voiced_s,
    }


def arms(motion: Motion) -> Array:
    """How much both arms move."""
    return np.asarray((motion.parts["left arm"] + motion.parts["right arm"]) / 2)


def legs(motion: Motion) -> Array:
    """How much both legs move."""
    return np.asarray((motion.parts["left leg"] + motion.parts["right leg"]) / 2)


def roughness(values: Array) -> float:
    """Mean change from value to value over the mean: near 0 for a steady movement, near 1 for single jerks."""
    if len(values) < 2:
        return 0.0
    return float(np.abs(np.diff(values)).mean() / (values.mean() + _ALMOST_STILL))


def _levels(name: str, values: Array) -> dict[str, float]:
    moving = values[1:] if len(values) > 1 else values
    rest, usual, most = (float(level) for level in np.percentile(moving, (25, 50, 90)))
    burst = float(smooth(moving, LASTING_FRAMES).max())
    return {f"{name}_rest": rest, f"{name}_usual": usual, f"{name}_most": most, f"{name}_burst": burst}


def _most(values: Array) -> float:
    return float(np.percentile(values[1:] if len(values) > 1 else values, 90))


def _face(motion: Motion) -> dict[str, float]:
    offset = smooth(motion.head_offset, LASTING_FRAMES)
    lids, dark = motion.eye_openness, motion.mouth_darkness
    low, high = np.percentile(dark, (10, 90))
    return {
        "head_turn": float(np.abs(offset - np.median(offset)).max()),
        "head_wander": float(offset.std()),
        "eyes_open": float((lids > EYES_OPEN).mean()),
        "eyes_narrow": float(np.percentile(lids, 10)),
        "eyes_narrowest": float(smooth(lids, LASTING_FRAMES).min()),
        "lid_flicker": float(np.abs(np.diff(lids)).mean()) if len(lids) > 1 else 0.0,
        "mouth_opening": float(high - low),
    }


def _shifts(posture: Mapping[str, Array]) -> dict[str, float]:
    """How far head, legs and the arms have moved from where they were at first, in grey levels."""
    left, right = (float(np.percentile(posture[f"{side} arm"], 90)) for side in ("left", "right"))
    both_legs = (posture["left leg"] + posture["right leg"]) / 2
    return {
        "head_shift": float(np.percentile(posture["head"], 90)),
        "leg_shift": float(np.percentile(both_legs, 90)),
        "arm_shift": max(left, right),
        "other_arm_shift": min(left, right),
        "arm_shift_difference": abs(left - right),
    }
