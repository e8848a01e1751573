"""From joint angles to points: forward kinematics of the body in metres, and the camera's projection to pixels.

World axes: x to the patient's left, y up, z from the head towards the foot of the bed, where the camera stands; the
origin is the pelvis at rest. All functions work on all frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s3harness_synth.envelope import Array
from s3harness_synth.patient import Appearance
from s3harness_synth.primitives import Tracks
from s3harness_synth.setting import VideoSetting
from s3harness_synth.vocabulary import SIDES, BodySide

TRUNK_M, NECK_M, HEAD_M = 0.52, 0.245, 0.17
"""Pelvis to shoulders,
shoulders to the centre of the head, half the head's height (a little large: it must be legible)."""

SHOULDER_M, HIP_M = 0.19, 0.105
UPPER_ARM_M, FOREARM_M, HAND_M = 0.29, 0.26, 0.085
THIGH_M, SHANK_M, FOOT_M = 0.42, 0.42, 0.16

VIEW_HEIGHT_M = 1.52
CAMERA_DISTANCE_M = 3.6

# From a mattress the pelvis rises; on a seat it mostly slides forwards.
LIFT_DIRECTION = {"bed": (0.0, 0.95, 0.3), "chair": (0.0, 0.55, 0.85)}

Points = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Camera:
    """Project world points to pixels of an image of ``width`` × ``height``."""

    pitch: float
    yaw: float
    scale: float
    centre: tuple[float, float]

    def project(self, points: Array) -> Array:
        """Return points of shape (…, 3) in metres as (…, 3): x and y in pixels, and pixels per metre at that depth."""
        turned_x = points[..., 0] * np.cos(self.yaw) - points[..., 2] * np.sin(self.yaw)
        turned_z = points[..., 0] * np.sin(self.yaw) + points[..., 2] * np.cos(self.yaw)
        up = points[..., 1] * np.cos(self.pitch) - turned_z * np.sin(self.pitch)
        near = points[..., 1] * np.sin(self.pitch) + turned_z * np.cos(self.pitch)
        # Perspective, so that a limb that comes towards the camera is seen to grow.
        scale = self.scale * CAMERA_DISTANCE_M / (CAMERA_DISTANCE_M - near)
        return np.stack([self.centre[0] + scale * turned_x, self.centre[1] - scale * up, scale], axis=-1)


def make_camera(setting: VideoSetting, resolution: tuple[int, int]) -> Camera:
    """Return the camera of a setting for an image of ``resolution`` (width, height)."""
    width, height = resolution
    scale = height / VIEW_HEIGHT_M * setting.zoom
    # The origin is the pelvis: at two thirds of the height, head and raised arms stay in the picture.
    centre = (width * 0.5 + setting.shift_x * height, height * (0.667 + setting.shift_y))
    return Camera(np.radians(setting.camera_pitch_deg), np.radians(setting.camera_yaw_deg), scale, centre)


def body_points(tracks: Tracks, appearance: Appearance, setting: VideoSetting) -> Points:
    """Return joints in metres, (frames, 3) each: pelvis, chest, neck, head, and shoulder to finger and hip to toe."""
    size = appearance.size
    back = np.radians(setting.backrest_deg)
    up0, front = np.array([0, np.sin(back), -np.cos(back)]), np.array([0, np.cos(back), np.sin(back)])
    left0 = np.array([1.0, 0, 0])
    lean = np.radians(tracks["trunk_lean"])[:, None]
    up, left = up0 * np.cos(lean) + left0 * np.sin(lean), left0 * np.cos(lean) - up0 * np.sin(lean)
    shift = left0 * tracks["trunk_shift"][:, None]
    lift = np.array(LIFT_DIRECTION[setting.furniture]) * tracks["pelvis_lift"][:, None]
    chest = shift + up * TRUNK_M * size + front * tracks["trunk_arch"][:, None]
    # A trunk that shifts takes the hips along by half, as the mattress holds them.
    points = {"pelvis": 0.5 * shift + lift, "chest": chest, "neck": chest + up * 0.07 * size}
    points["head"] = _head(tracks, chest, (left, up, front), size)
    for side in SIDES:
        out = left if side == "left" else -left
        points |= _arm(tracks, side, chest, (out, up, np.broadcast_to(front, up.shape)), size)
        points |= _leg(tracks, side, points["pelvis"], size)
    return points


def _head(tracks: Tracks, chest: Array, axes: tuple[Array, Array, Array], size: float) -> Array:
    left, up, front = axes
    roll, yaw = np.radians(tracks["head_roll"])[:, None], np.radians(tracks["head_yaw"])[:, None]
    # The head tilts about the neck below it, not about its own centre.
    aside = left * (0.11 * np.sin(roll) + 0.03 * np.sin(yaw))
    nod = up * (0.0012 * tracks["head_pitch"][:, None]) - front * (0.0006 * tracks["head_pitch"][:, None])
    return chest + up * NECK_M * size + aside + nod


def _arm(tracks: Tracks, side: BodySide, chest: Array, axes: tuple[Array, Array, Array], size: float) -> Points:
    out, up, front = axes
    abduction, raised, rotation, elbow, wrist = (
        np.radians(tracks[f"{side}_{name}"])[:, None] for name in ("abduction", "raise", "rotation", "elbow", "wrist")
    )
    upper = np.cos(raised) * (np.sin(abduction) * out - np.cos(abduction) * up) + np.sin(raised) * front
    inward = np.cos(rotation) * front - np.sin(rotation) * (np.cos(abduction) * out + np.sin(abduction) * up)
    # Only the part at right angles to the upper arm turns the forearm, so that its length stays the same.
    bend = _unit(inward - _dot(inward, upper) * upper)
    fore = np.cos(elbow) * upper + np.sin(elbow) * bend
    hand = np.cos(elbow + wrist) * upper + np.sin(elbow + wrist) * bend
    shoulder = chest + out * SHOULDER_M * size
    elbow_at = shoulder + upper * UPPER_ARM_M * size
    wrist_at = elbow_at + fore * FOREARM_M * size
    named = {"shoulder": shoulder, "elbow": elbow_at, "wrist": wrist_at, "finger": wrist_at + hand * HAND_M * size}
    return {f"{side}_{name}": place for name, place in named.items()}


def _leg(tracks: Tracks, side: BodySide, pelvis: Array, size: float) -> Points:
    sign = 1.0 if side == "left" else -1.0
    hip, splay, knee, foot = (
        np.radians(tracks[f"{side}_{name}"])[:, None] for name in ("hip", "splay", "knee", "foot")
    )
    # Fixed axes: legs lie on the bed and do not follow the leaning trunk.
    out, up, along = sign * np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0])
    lean_out, flat = np.sin(splay), np.cos(splay)

    def ray(angle: Array) -> Array:
        return np.asarray(out * lean_out + flat * (along * np.cos(angle) + up * np.sin(angle)))

    hip_at = pelvis + out * HIP_M * size
    knee_at = hip_at + ray(hip) * THIGH_M * size
    ankle = knee_at + ray(hip - knee) * SHANK_M * size
    toe = ankle + ray(hip - knee + np.pi / 2 - foot) * FOOT_M * size
    return {f"{side}_{name}": at for name, at in (("hip", hip_at), ("knee", knee_at), ("ankle", ankle), ("toe", toe))}


def _unit(vectors: Array) -> Array:
    # An upper arm that points inwards leaves no direction at right angles, so a length of 0.
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _dot(first: Array, second: Array) -> Array:
    return np.asarray((first * second).sum(axis=-1, keepdims=True))
