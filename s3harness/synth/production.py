"""One video from its seeds to its file: script, setting, movement, pictures, sound, mp4."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from s3harness.synth.event import Script
from s3harness.synth.patient import Patient
from s3harness.synth.report import write_report
from s3harness.synth.script import sample_script
from s3harness.synth.setting import Setting, sample_setting


@dataclass(frozen=True, slots=True)
class Take:
    """All that determines one video; ``seed`` drives what the script leaves open (small movements, noise)."""

    video_id: str
    patient: Patient
    split: str
    script: Script
    setting: Setting
    report: str
    seed: int


@dataclass(frozen=True, slots=True)
class Format:
    """Picture size (width, height), frames per second, and whether there is sound."""

    resolution: tuple[int, int]
    fps: int
    audio: bool


def plan_take(number: int, patient: Patient, split: str, seed: int, duration_s: float | None) -> Take:
    """Draws the script, the setting and the report of video ``number`` (from 1 on) of a data set."""
    rng = np.random.default_rng([seed, 2, number])
    script = sample_script(patient, rng, duration_s)
    setting = sample_setting(patient, script, rng)
    report = write_report(script, rng)
    return Take(f"v{number:04d}", patient, split, script, setting, report, int(rng.integers(2**31)))


def film(take: Take, path: Path, form: Format) -> None:
    """Renders and encodes one video."""
    from s3harness.synth.container import write_mp4
    from s3harness.synth.frames import make_scene, render
    from s3harness.synth.grain import make_grain
    from s3harness.synth.motion import act_out
    from s3harness.synth.sound import make_sound

    tracks = act_out(take.script, take.setting, take.seed, form.fps)
    scene = make_scene(tracks, take.patient.appearance, take.setting, form.resolution, form.fps)
    sound = make_sound(take.script, take.patient, take.seed) if form.audio else None
    grain = make_grain(take.setting, form.resolution)
    write_mp4(path, render(scene), sound, resolution=form.resolution, fps=form.fps, grain=grain)
