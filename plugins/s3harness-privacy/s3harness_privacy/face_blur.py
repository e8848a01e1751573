"""Faces made unrecognisable. Where none is found, everything is: it fails closed.

A face is hidden where it was found shortly before and after as well, more of the picture the longer ago that is,
because a detector misses most what a seizure does to a face. A picture with no face found near it is blurred whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

import s3harness
from s3harness_privacy.faces import Box, Picture, find_faces

REMEMBERED_S = 4.0
"""A face is hidden where it was found so long before or after; what is further away tells nothing."""

MARGIN, MARGIN_PER_S = 0.25, 0.2
"""How much a box grows to each side, as a share of it: at once, and with each second between."""

CELLS = 4
"""A hidden face is averaged to so many cells across."""

VEIL = 10
"""A picture that is hidden whole is averaged to so many cells along its shorter side."""


class FaceBlur(s3harness.Transform):
    """Pictures whose faces are blurred; the sound stays."""

    def __call__(self, frames: s3harness.Frames) -> s3harness.Frames:
        """Hide all faces that are found, and whole pictures without any found near them."""
        found = [find_faces(picture) for picture in frames.pixels]
        hidden = [
            _hidden(picture, _near(number, found, frames.timestamps)) for number, picture in enumerate(frames.pixels)
        ]
        return s3harness.Frames(np.stack(hidden), frames.timestamps)


def _near(number: int, found: Sequence[Sequence[Box]], times: Sequence[float]) -> list[Box]:
    """The boxes to hide in a picture: its own, and those found shortly before and after, grown by how long."""
    near = []
    for boxes, time_s in zip(found, times, strict=True):
        apart_s = abs(time_s - times[number])
        if apart_s <= REMEMBERED_S:
            near += [_grown(box, MARGIN + MARGIN_PER_S * apart_s) for box in boxes]
    return near


def _grown(box: Box, share: float) -> Box:
    wider, higher = box.width * share, box.height * share
    return Box(box.x - wider, box.y - higher, box.width + 2 * wider, box.height + 2 * higher)


def _hidden(picture: Picture, boxes: Sequence[Box]) -> Picture:
    height, width = picture.shape[:2]
    if not boxes:
        cells = VEIL / min(height, width)
        return _coarse(picture, max(1, round(width * cells)), max(1, round(height * cells)))
    mask = np.zeros((height, width), bool)
    for box in boxes:
        mask |= _inside(box, height, width)
    cell = max(1.0, min(box.width for box in boxes) / CELLS)
    coarse = _coarse(picture, max(1, round(width / cell)), max(1, round(height / cell)))
    return np.asarray(np.where(mask[:, :, None], coarse, picture), np.uint8)


def _inside(box: Box, height: int, width: int) -> NDArray[np.bool_]:
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    return (
        (rows >= box.y) & (rows < box.y + box.height) & (columns >= box.x) & (columns < box.x + box.width)
    )  # a box and no ellipse: chin and hair tell as well


def _coarse(picture: Picture, columns: int, rows: int) -> Picture:
    """The picture averaged to cells and stretched back, smooth, so that the edges of cells tell nothing either."""
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)


face_blur = FaceBlur()
