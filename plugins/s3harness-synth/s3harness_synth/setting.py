"""The setting of a video: bed or chair, room, camera, light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from s3harness_synth.event import Script
from s3harness_synth.patient import Colour, Patient
from s3harness_synth.vocabulary import SIDES, BodySide

INFRARED_CHANCE = {True: 0.7, False: 0.15}
"""Chance of an infrared night view, for events from sleep and for the others."""

_WALLS: tuple[Colour, ...] = ((198, 204, 200), (206, 198, 184), (186, 198, 210), (212, 208, 204))


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSetting:
    """The room and the camera of one video. Angles in degrees.

    The camera looks from the foot of the bed at the face, so the patient's left is on the right of the image.
    ``zoom`` 1 shows 1.5 m from top to bottom; ``shift_x`` and ``shift_y`` move the picture by shares of its height.
    With ``is_child`` the bystander is a child who plays beside the bed, to and fro.
    """

    furniture: Literal["bed", "chair"]
    backrest_deg: float
    camera_pitch_deg: float
    camera_yaw_deg: float
    zoom: float
    shift_x: float
    shift_y: float
    infrared: bool
    brightness: float
    noise: float
    wall: Colour
    window_side: BodySide
    bystander_side: BodySide | None
    bystander_from_s: float
    room_seed: int
    is_child: bool = False


BALANCED_INFRARED_CHANCE, BALANCED_BYSTANDER_CHANCE = 0.4, 0.5
"""The same, and the chance that somebody stands by, where neither may depend on the diagnosis."""

_BYSTANDER_CHANCE = 0.25
_SEATED_CHANCE = 0.25


def sample_setting(patient: Patient, script: Script, rng: Generator) -> VideoSetting:
    """Draw the light and the camera in a room that is mostly the same for all videos of a patient."""
    # The same seed, so the same room, for four in five videos of a patient.
    room = np.random.default_rng([patient.habit_seed, 1 + int(rng.random() < 0.2)])
    infrared = bool(rng.random() < INFRARED_CHANCE[script.from_sleep])
    # Drawn first, used only if awake: who is asleep lies in bed.
    seated = bool(room.random() < _SEATED_CHANCE) and not script.from_sleep
    return _furnished(script, room, seated, infrared, _BYSTANDER_CHANCE, rng)


def balanced_setting(script: Script, rng: Generator) -> VideoSetting:
    """Draw a room that is not the patient's, by day or night, of which nothing depends on what happens in it.

    All lie in bed: who is asleep cannot sit, and sleep goes with epileptic seizures. Whoever asks need not be seen, and
    whoever stands by has come at any time: functional events are tested more often, and later.
    """
    infrared = bool(rng.random() < BALANCED_INFRARED_CHANCE)
    room = np.random.default_rng(rng.integers(2**31))
    # Arrival of the examiner and length together told the diagnosis (AUC 0.59 over 7,200 planned videos).
    return _furnished(replace(script, examination=None), room, False, infrared, BALANCED_BYSTANDER_CHANCE, rng)


def _furnished(
    script: Script, room: Generator, seated: bool, infrared: bool, watched: float, rng: Generator
) -> VideoSetting:
    side, arrival = _sample_bystander(script, watched, rng)
    return VideoSetting(
        furniture="chair" if seated else "bed",
        # Draws from `room` are the same in all videos of it; those from `rng` are the video's own.
        backrest_deg=room.uniform(72, 80) if seated else room.uniform(38, 50),
        camera_pitch_deg=room.uniform(14, 20) if seated else room.uniform(32, 40),
        camera_yaw_deg=room.uniform(-9, 9),
        zoom=room.uniform(0.97, 1.05),
        shift_x=room.uniform(-0.06, 0.06),
        shift_y=room.uniform(-0.01, 0.02),
        infrared=infrared,
        brightness=rng.uniform(0.88, 1.06),
        # A sensor is noisier at night, when its signal is amplified.
        noise=rng.uniform(2.2, 3.2) if infrared else rng.uniform(0.8, 1.6),
        wall=_WALLS[int(room.integers(len(_WALLS)))],
        window_side=SIDES[int(room.integers(2))],
        bystander_side=side,
        bystander_from_s=arrival,
        room_seed=int(room.integers(2**31)),
    )


def _sample_bystander(script: Script, chance: float, rng: Generator) -> tuple[BodySide | None, float]:
    """Side and arrival (seconds) of the bystander; the examiner comes before the first question."""
    side: BodySide = SIDES[int(rng.integers(2))]
    # Drawn with an examination, too, so that it shifts no later draw.
    present, share = rng.random() < chance, rng.uniform(0.1, 0.5)
    if script.examination is not None:
        # The way in takes 1.6 s, so that the examiner stands at the bed before the question.
        return side, max(script.examination.asked_s[0] - 2.5, -2.0)
    return (side if present else None), share * script.duration_s
