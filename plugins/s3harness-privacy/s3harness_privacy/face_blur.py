"""Blurring of faces. It fails closed: a picture without any detected face is blurred as a whole.

A face is also hidden where it was detected shortly before or after, with a margin that grows with the time between,
because a detector misses most what a seizure does to a face.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

import s3harness
from s3harness_privacy.face_detection import FaceBox, Picture, find_faces

MEMORY_S = 4.0
"""Seconds before and after a detection for which the face is hidden; later it may be anywhere."""

MARGIN, MARGIN_PER_S = 0.25, 0.2
"""Growth of a box to each side, as a share of it: at once, and for each second between detection and picture."""

CELLS_PER_FACE = 4
"""A hidden face is averaged to this many cells across."""

CELLS_PER_PICTURE = 10
"""A picture that is hidden as a whole is averaged to this many cells along its shorter side."""


class FaceBlur(s3harness.Transform):
    """Blurs the faces of all pictures; the sound stays."""

    def __call__(self, frames: s3harness.Frames) -> s3harness.Frames:
        """Hide all faces that are detected, and pictures without any detected near them as a whole."""
        detections = [find_faces(picture) for picture in frames.pixels]
        hidden = [
            _hide(picture, _nearby_boxes(number, detections, frames.timestamps))
            for number, picture in enumerate(frames.pixels)
        ]
        return s3harness.Frames(np.stack(hidden), frames.timestamps)


def _nearby_boxes(number: int, detections: Sequence[Sequence[FaceBox]], times: Sequence[float]) -> list[FaceBox]:
    """The boxes to hide in a picture: its own, and those detected shortly before and after, with their margins."""
    nearby = []
    for boxes, time_s in zip(detections, times, strict=True):
        apart_s = abs(time_s - times[number])
        if apart_s <= MEMORY_S:
            nearby += [_with_margin(box, MARGIN + MARGIN_PER_S * apart_s) for box in boxes]
    return nearby


def _with_margin(box: FaceBox, share: float) -> FaceBox:
    dx, dy = box.width * share, box.height * share
    return FaceBox(box.x - dx, box.y - dy, box.width + 2 * dx, box.height + 2 * dy)


def _hide(picture: Picture, boxes: Sequence[FaceBox]) -> Picture:
    height, width = picture.shape[:2]
    # Nothing detected is no proof that nothing is there.
    if not boxes:
        cells = CELLS_PER_PICTURE / min(height, width)
        return _blur(picture, max(1, round(width * cells)), max(1, round(height * cells)))
    mask = np.zeros((height, width), bool)
    for box in boxes:
        mask |= _box_mask(box, height, width)
    cell = max(1.0, min(box.width for box in boxes) / CELLS_PER_FACE)
    blurred = _blur(picture, max(1, round(width / cell)), max(1, round(height / cell)))
    return np.asarray(np.where(mask[:, :, None], blurred, picture), np.uint8)


def _box_mask(box: FaceBox, height: int, width: int) -> NDArray[np.bool_]:
    # The whole box and no ellipse: chin and hair identify as well.
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    return (rows >= box.y) & (rows < box.y + box.height) & (columns >= box.x) & (columns < box.x + box.width)


def _blur(picture: Picture, columns: int, rows: int) -> Picture:
    """The picture averaged to cells and stretched back."""
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    # Linear: sharp edges of cells would show where a face lies between them.
    return np.asarray(cv2.resize(small, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


face_blur = FaceBlur()
