"""Puts single signs before the camera, and reads tables, for the tests of the synthetic videos."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Script
from s3harness_synth.frames import Scene, make_scene, render
from s3harness_synth.motion import act_out
from s3harness_synth.patient import Patient, sample_patient
from s3harness_synth.production import Take
from s3harness_synth.setting import VideoSetting, sample_setting
from s3harness_synth.sound import make_sound

TINY = {"videos": 5, "seed": 11, "resolution": (160, 90), "fps": 10, "duration_s": 5.0}


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def alone(*events: Event, duration_s: float = 8.0, diagnosis: str = "ES", **more: object) -> Script:
    """A script with just these events."""
    return Script(
        diagnosis=diagnosis, archetype="posturing", duration_s=duration_s, from_sleep=False, events=events, **more
    )


def plain_patient() -> Patient:
    """Pale, with short dark hair, so that the face can be told from the rest by its brightness."""
    drawn = sample_patient(1, "ES", np.random.default_rng(0))
    look = replace(
        drawn.appearance,
        skin=(236, 200, 172),
        hair=(30, 24, 20),
        shirt=(90, 120, 170),
        long_hair=False,
        head_wrap=False,
        patterned=False,
    )
    return replace(drawn, appearance=look)


def plain_setting() -> VideoSetting:
    """In bed, by day, straight from the foot of the bed, nobody else there."""
    drawn = sample_setting(
        plain_patient(), alone(Event(feature="tonic", envelope=Envelope(1, 2))), np.random.default_rng(0)
    )
    bed = {"furniture": "bed", "backrest_deg": 44, "camera_pitch_deg": 36, "camera_yaw_deg": 0}
    return replace(drawn, **bed, infrared=False, bystander_side=None)


def take_of(script: Script, bits_per_pixel: float | None = None) -> Take:
    """The take of a script with the plain patient in the plain setting."""
    return Take(
        video_id="v0001",
        patient=plain_patient(),
        split="train",
        script=script,
        setting=plain_setting(),
        report="",
        seed=1,
        bits_per_pixel=bits_per_pixel,
    )


def stage(script: Script, resolution: tuple[int, int] = (160, 90), fps: int = 25) -> Scene:
    tracks = act_out(script, plain_setting(), 4, fps)
    return make_scene(tracks, plain_patient().appearance, plain_setting(), resolution, fps)


def brightness(scene: Scene) -> np.ndarray:
    """The brightness of all frames, (frames, height, width)."""
    return np.stack([frame[: scene.resolution[1]] for frame in render(scene)]).astype(np.float64)


def decoded_frames(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def sound_of(script: Script) -> NDArray[np.float32]:
    """The whole sound track of a script played by the plain patient."""
    return np.concatenate([*make_sound(script, plain_patient(), 1)])
