"""Everything behind the patient at each moment: the room, and the bystander who may walk in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s3harness_synth.bystander import draw_bystander
from s3harness_synth.canvas import SUPERSAMPLING
from s3harness_synth.palette import Palette
from s3harness_synth.room import draw_room
from s3harness_synth.setting import VideoSetting
from s3harness_synth.skeleton import make_camera

Frame = NDArray[np.uint8]
"""One picture as yuv420p: (1.5 × height, width), brightness above, the two planes of colour below it."""

_WALK_S = 1.6
_STEPS_HZ = 2.0
_CHILD_SIZE = 0.6
_CHILD_TURNS_S = 7.0
"""Seconds in which a child at play comes and goes once."""


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A picture at :data:`~s3harness_synth.canvas.SUPERSAMPLING` times the size, and the frame that it makes."""

    picture: Image.Image
    frame: Frame


class Backdrops:
    """Backdrops of all moments; a new one is drawn only while the bystander walks or plays."""

    def __init__(self, setting: VideoSetting, palette: Palette, resolution: tuple[int, int]) -> None:
        self._setting = setting
        camera = make_camera(setting, resolution)
        self._room = draw_room(setting, palette, camera, resolution)
        # The room before and after the bystander walks in is drawn once: a video has thousands of frames.
        self._empty = _make_backdrop(self._room)
        self._sprite = self._mask = None
        if setting.bystander_side is not None:
            height = round(resolution[1] * (_CHILD_SIZE if setting.is_child else 1.0))
            self._sprite, self._mask = draw_bystander(palette, height, setting.room_seed)
            self._attended = _make_backdrop(self._with_bystander(1.0))

    def at(self, moment: float) -> Backdrop:
        """Return the backdrop ``moment`` seconds from the start of the video."""
        walked = (moment - self._setting.bystander_from_s) / _WALK_S
        if self._sprite is None or walked <= 0:
            return self._empty
        if self._setting.is_child:
            # From the edge to the bed and back, as long as the video goes on.
            return _make_backdrop(
                self._with_bystander(0.5 - 0.5 * np.cos(2 * np.pi * walked * _WALK_S / _CHILD_TURNS_S))
            )
        return self._attended if walked >= 1 else _make_backdrop(self._with_bystander(walked))

    def _with_bystander(self, walked: float) -> Image.Image:
        """Return the room with the bystander at ``walked`` (0–1) of the way in from the edge."""
        sprite, mask, picture = self._sprite, self._mask, self._room.copy()
        # For the type checker: only called where there is a bystander.
        assert sprite is not None
        assert mask is not None
        near = 0.03 * picture.width
        x = -sprite.width + walked * (sprite.width + near)
        # A child, being smaller, stands as low as a grown-up.
        y = (
            round(0.98 * picture.height)
            - sprite.height
            + 0.02 * picture.height * (1 + 0.3 * np.sin(2 * np.pi * _STEPS_HZ * _WALK_S * walked))
        )
        if self._setting.bystander_side == "left":
            # The figure faces image right; whoever comes in from there is its mirror image.
            sprite, mask = (part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for part in (sprite, mask))
            x = picture.width - sprite.width - x
        picture.paste(sprite, (round(x), round(float(y))), mask)
        return picture


def colour_planes(frame: Frame) -> tuple[Frame, Frame]:
    """Return views of the two planes of colour of a frame, (height / 2, width / 2) each."""
    rows, width = frame.shape
    height = rows * 2 // 3
    planes = frame[height:].reshape(2, height // 2, width // 2)
    return planes[0], planes[1]


def _make_backdrop(picture: Image.Image) -> Backdrop:
    width, height = picture.width // SUPERSAMPLING, picture.height // SUPERSAMPLING
    frame = np.empty((height * 3 // 2, width), np.uint8)
    brightness, *differences = picture.split()
    frame[:height] = np.asarray(brightness.reduce(SUPERSAMPLING))
    for plane, band in zip(colour_planes(frame), differences, strict=True):
        # yuv420p holds colour at half the resolution of brightness.
        plane[:] = np.asarray(band.reduce(2 * SUPERSAMPLING))
    return Backdrop(picture, frame)
