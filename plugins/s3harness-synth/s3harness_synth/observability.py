"""Observability of a sign: hidden, too small for the picture, or too quick for the frames.

Script, camera and format determine all of it, so that signs that no model could see can be told from those that it
missed. Sizes are distances that the moving part travels, in metres before the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians

import numpy as np

from s3harness_synth.event import Event, Script
from s3harness_synth.production import Format, Take
from s3harness_synth.signs import TURNED_DEG
from s3harness_synth.skeleton import make_camera
from s3harness_synth.vocabulary import direction

LEAST_PIXELS = 2.0
"""A part that moves by less is below the resolution."""

HIDDEN_SHARE = 0.5
"""A sign is occluded if it is hidden for this share of its time."""

TRAVEL_M: dict[str, float] = {
    "head_turning": 0.2,
    "blank_stare": 0.04,
    "close_eyes": 0.05,
    "eye_blinking": 0.05,
    "face_pulling": 0.055,
    "face_twitching": 0.055,
    "tonic": 0.09,
    "clonic": 0.2,
    "arm_straightening": 0.5,
    "arm_flexion": 0.3,
    "figure4": 0.45,
    "oral_automatisms": 0.035,
    "limb_automatisms": 0.14,
    "asynchronous_movement": 0.4,
    "pelvic_thrusting": 0.19,
    "full_body_shaking": 0.15,
    "arms_move_simultaneously": 0.5,
}
"""Distance in metres that the tip of the moving part travels at full intensity: nose, iris, lid, corner of the mouth,
foot, wrist, hips."""

_ONLY_HEARD = frozenset({"ictal_vocalization", "verbal_responsiveness"})
_OF_ONE_CHEEK = frozenset({"face_pulling", "face_twitching"})
# The longitude and the limit of sight with which `face` draws a cheek.
_CHEEK_DEG = 30.0
_EDGE_OF_SIGHT = 0.12


@dataclass(frozen=True, slots=True)
class Observability:
    """Obstacles to seeing one sign.

    ``size_px`` is the distance that its part moves in the picture, ``None`` for signs that are only heard.
    ``needs_fps`` is the lowest frame rate that shows it: twice the highest rate of a rhythm (Nyquist), or one frame in
    its duration.
    """

    occluded: bool
    below_resolution: bool
    undersampled: bool
    size_px: float | None
    needs_fps: float


def observe(feature: str, take: Take, form: Format) -> Observability | None:
    """Return the observability of a feature in a video; ``None`` if it does not occur, or has no time of its own."""
    script = take.script
    if feature == "verbal_responsiveness":
        answered = script.examination.answered if script.examination else None
        return None if answered is None else Observability(not form.audio, False, False, None, 0.0)
    event = script.find(feature)
    if event is None:
        return None
    if feature in _ONLY_HEARD:
        return Observability(not form.audio, False, False, None, 0.0)
    scale = make_camera(take.setting, form.resolution).scale * take.patient.appearance.size
    size = TRAVEL_M[feature] * event.intensity * scale
    # The first rate is the highest: rhythms only ever slow down.
    needs = 2 * event.frequency if event.frequency else 1 / event.length_s
    return Observability(_is_hidden(event, script), size < LEAST_PIXELS, needs > form.fps, size, needs)


def _is_hidden(event: Event, script: Script) -> bool:
    """``True`` if the cheek that shows the sign is on the far side of a turned head for most of the time."""
    turning = script.find("head_turning")
    if turning is None or event.feature not in _OF_ONE_CHEEK or event.side != turning.side:
        return False
    times = np.linspace(*event.interval, 200)
    turned = TURNED_DEG * turning.intensity * turning.envelope.weight(times)
    away = [cos(radians(angle + _CHEEK_DEG)) < _EDGE_OF_SIGHT for angle in turned.tolist()]
    return direction(event.side) != 0 and sum(away) >= HIDDEN_SHARE * len(away)
