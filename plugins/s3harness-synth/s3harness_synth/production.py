"""One video from its seeds to its file: script, setting, movement, pictures, sound, mp4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from s3harness_synth.backdrop import Frame
from s3harness_synth.event import Script
from s3harness_synth.mirror import flip_frame, mirror_patient, mirror_script, mirror_setting
from s3harness_synth.patient import Patient, dressed_anew
from s3harness_synth.prior import Prior
from s3harness_synth.report import write_report
from s3harness_synth.script import SHORTEST_S, sample_script
from s3harness_synth.setting import VideoSetting, balanced_setting, sample_setting

BALANCED_BITS_PER_PIXEL = (0.05, 0.1)
"""The range of the constant bit rates of balanced videos, in bits per pixel."""

# A median of 55 s, for both diagnoses: length alone would tell a functional event, which lasts longer.
BALANCED_LENGTH, LONGEST_BALANCED_S = (4.0, 0.6), 240.0
"""Log-normal seconds of balanced videos."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Choices that hold for all videos of a data set.

    ``duration_s`` of ``None`` draws the length of each video. ``balanced`` makes length, light, room, clothes,
    company and bit rate independent of diagnosis and patient; ``mirrored`` makes the mirror image of every video.
    """

    prior: Prior
    duration_s: float | None = None
    balanced: bool = False
    mirrored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Everything that determines one video; ``seed`` drives what the script leaves open (small movements, noise).

    ``bits_per_pixel`` is the constant rate of the video stream, ``None`` for one of constant quality.
    """

    video_id: str
    patient: Patient
    split: str
    script: Script
    setting: VideoSetting
    report: str
    seed: int
    bits_per_pixel: float | None = None
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """Picture size (width, height), frames per second, and whether there is sound."""

    resolution: tuple[int, int]
    fps: int
    audio: bool


def plan_take(number: int, patient: Patient, split: str, seed: int, wishes: Wishes) -> Take:
    """Draw the script, the setting and the report of video ``number`` (from 1 on) of a data set."""
    # Two streams: what balancing draws of a video's surroundings must not shift the draws of its script.
    rng, around = np.random.default_rng([seed, 2, number]), np.random.default_rng([seed, 3, number])
    duration_s = wishes.duration_s
    if wishes.balanced:
        patient = dressed_anew(patient, around)
        drawn_s = float(np.clip(around.lognormal(*BALANCED_LENGTH), SHORTEST_S, LONGEST_BALANCED_S))
        duration_s = duration_s or drawn_s
    script = sample_script(patient, rng, duration_s, wishes.prior, matched=wishes.balanced)
    setting = balanced_setting(script, around) if wishes.balanced else sample_setting(patient, script, rng)
    # A seed of its own, so that the mirrored report has the same wording.
    report_seed, own_seed = (int(rng.integers(2**31)) for _ in range(2))
    rate = float(around.uniform(*BALANCED_BITS_PER_PIXEL)) if wishes.balanced else None
    report = write_report(script, np.random.default_rng(report_seed))
    take = Take(
        video_id=f"v{number:04d}",
        patient=patient,
        split=split,
        script=script,
        setting=setting,
        report=report,
        seed=own_seed,
        bits_per_pixel=rate,
    )
    return _mirror(take, report_seed) if wishes.mirrored else take


def _mirror(take: Take, report_seed: int) -> Take:
    script = mirror_script(take.script)
    return replace(
        take,
        patient=mirror_patient(take.patient),
        script=script,
        setting=mirror_setting(take.setting),
        report=write_report(script, np.random.default_rng(report_seed)),
        mirrored=not take.mirrored,
    )


def film(take: Take, path: Path, form: Format) -> None:
    """Render and encodes one video."""
    # Imported here: a plan of takes must not wait for PyAV.
    from s3harness_synth.container import write_mp4
    from s3harness_synth.sound import make_sound

    sound = make_sound(take.script, take.patient, take.seed) if form.audio else None
    bit_rate = None if take.bits_per_pixel is None else take.bits_per_pixel * prod(form.resolution) * form.fps
    write_mp4(path, pictures(take, form), sound, resolution=form.resolution, fps=form.fps, bit_rate=bit_rate)


def pictures(take: Take, form: Format) -> Iterator[Frame]:
    """Yield the frames of a video as they go to the encoder: yuv420p, uint8 of shape (1.5 × height, width)."""
    from s3harness_synth.frames import make_scene, render
    from s3harness_synth.grain import make_grain
    from s3harness_synth.motion import act_out

    # A mirrored take is mirrored back, drawn and flipped: so every pixel, noise included, is that of the other take.
    script = mirror_script(take.script) if take.mirrored else take.script
    setting = mirror_setting(take.setting) if take.mirrored else take.setting
    tracks = act_out(script, setting, take.seed, form.fps)
    scene = make_scene(tracks, take.patient.appearance, setting, form.resolution, form.fps)
    grain = make_grain(setting, form.resolution)
    for index, frame in enumerate(render(scene)):
        grain.add_to(frame[: form.resolution[1]], index)
        yield flip_frame(frame) if take.mirrored else frame
