"""The mirror image of a video: every side swapped in the script and the setting, every picture flipped.

A mirrored take is drawn by drawing its mirror image and flipping each frame, noise included. So its frames are exactly
the flipped frames of the other, and its truth is that of the mirrored body: no picture holds any writing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from s3harness_synth.backdrop import Frame, colour_planes
from s3harness_synth.event import Script
from s3harness_synth.patient import Patient
from s3harness_synth.setting import VideoSetting
from s3harness_synth.vocabulary import opposite


def mirror_script(script: Script) -> Script:
    """Return the script with every event on the other side."""
    events = tuple(replace(event, side=None if event.side is None else opposite(event.side)) for event in script.events)
    return replace(script, events=events)


def mirror_patient(patient: Patient) -> Patient:
    """Return the patient with focus and habits on the other side."""
    # Nothing in appearance or voice has a side.
    return replace(patient, focus=opposite(patient.focus), first_arm=opposite(patient.first_arm))


def mirror_setting(setting: VideoSetting) -> VideoSetting:
    """Return the room and the camera as in a mirror."""
    bystander = setting.bystander_side
    return replace(
        setting,
        camera_yaw_deg=-setting.camera_yaw_deg,
        shift_x=-setting.shift_x,
        window_side=opposite(setting.window_side),
        bystander_side=None if bystander is None else opposite(bystander),
    )


def flip_frame(frame: Frame) -> Frame:
    """Return a frame (yuv420p) with left and right exchanged."""
    flipped = np.empty_like(frame)
    height = len(frame) * 2 // 3
    flipped[:height] = frame[:height, ::-1]
    for target, source in zip(colour_planes(flipped), colour_planes(frame), strict=True):
        target[:] = source[:, ::-1]
    return flipped
