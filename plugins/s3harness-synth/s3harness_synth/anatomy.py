"""The channels of movement: joint angles in degrees, displacements in metres and parameters of the face.

Angles of the arms: ``abduction`` lifts the arm sideways, ``raise`` lifts it forwards, ``rotation`` turns the plane in
which the elbow bends (0: forearm forwards, 90: across the chest). A channel of a limb carries its side in front.
``head_yaw``, ``head_roll``, ``gaze_x`` and ``trunk_lean`` are positive towards the patient's left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s3harness_synth.primitives import Tracks
from s3harness_synth.setting import VideoSetting
from s3harness_synth.vocabulary import SIDES


@dataclass(frozen=True, slots=True)
class Channel:
    """Range of one channel and its value at rest."""

    low: float
    high: float
    rest: float = 0.0


_MIDLINE: dict[str, Channel] = {
    "head_yaw": Channel(-80, 80),
    "head_pitch": Channel(-35, 40),
    "head_roll": Channel(-35, 35),
    "trunk_lean": Channel(-22, 22),
    "trunk_shift": Channel(-0.12, 0.12),
    "trunk_arch": Channel(-0.05, 0.2),
    "pelvis_lift": Channel(-0.02, 0.24),
    "breath": Channel(-2, 2),
    "gaze_x": Channel(-1, 1),
    "gaze_y": Channel(-1, 1),
    "brow": Channel(-1, 1),
    "jaw": Channel(0, 1, 0.02),
    "purse": Channel(0, 1),
    "teeth": Channel(0, 1),
    "tears": Channel(0, 1),
}
_EACH_SIDE: dict[str, Channel] = {
    # Below its value at rest a lid is lifted, as in a stare; a corner of the mouth hangs, as in weeping.
    "lid": Channel(-0.3, 1, 0.05),
    "mouth": Channel(-0.4, 1.2),
    "abduction": Channel(-15, 130, 17),
    "raise": Channel(-20, 130, 6),
    "rotation": Channel(-60, 120, 48),
    # Elbow and knee bend one way only.
    "elbow": Channel(2, 145, 42),
    "wrist": Channel(-40, 80, 8),
    "grip": Channel(0, 1, 0.35),
    "hip": Channel(-5, 100, 8),
    "splay": Channel(-8, 40, 7),
    "knee": Channel(0, 120, 12),
    "foot": Channel(-20, 60, 20),
}

CHANNELS: dict[str, Channel] = {
    **_MIDLINE,
    **{f"{side}_{name}": channel for side in SIDES for name, channel in _EACH_SIDE.items()},
}

_SEATED: dict[str, float] = {"hip": 6, "knee": 84, "splay": 9, "foot": 0, "raise": 14, "elbow": 58}


def rest_tracks(setting: VideoSetting, frames: int) -> Tracks:
    """Return all channels at rest in bed or in a chair; one array of shape (frames,) each."""
    tracks = {name: np.full(frames, channel.rest, dtype=np.float64) for name, channel in CHANNELS.items()}
    if setting.furniture == "chair":
        for name, value in _SEATED.items():
            for side in SIDES:
                tracks[f"{side}_{name}"][:] = value
    return tracks


def clip_to_range(tracks: Tracks) -> None:
    """Keep every channel within what the joint allows, in place."""
    for name, track in tracks.items():
        np.clip(track, CHANNELS[name].low, CHANNELS[name].high, out=track)
