"""From frames to small grids of brightness, and where in them the patient's head, arms and legs are.

The usual view is taken for granted: the camera looks from the foot of the bed or the front of the chair, the head is
up and the patient's left is on the right of the picture. Nothing is learnt; the head is looked for where the body's
uppermost movement is, and the rest of the body is laid out below it in the proportions of an adult.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s3harness.media.frames import Pixels

Array = NDArray[np.float64]
Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRID_ROWS = 90
"""Rows of the grid, square cells: a head is then about sixteen cells high, a hand four, and noise averages out."""

FACE_ROWS = 64
"""Rows, at most, of the face's own finer grid: an eye is then about eight cells wide."""

HEAD_HEIGHT, HEAD_WIDTH = 0.21, 0.17
"""The head's box as shares of the picture's height, where an adult fills the picture (1.5 m from top to bottom)."""

CROP_ABOVE, CROP_HEIGHT = 0.04, 0.28
"""The face is cropped with some room above and below the head's box, since the box follows hair and shadow."""

NECK_TO_HIP = 0.42
"""Trunk and arms lie in a band of this height below the head's top; below it are the legs."""

REACH = 0.56
"""How far an arm reaches from the midline, as a share of the picture's height; what moves farther out is not theirs."""

LOWEST_HEAD_TOP, DEFAULT_HEAD_TOP = 0.2, 0.05
"""Where the uppermost movement lies lower than this, the head is still, and is taken to be in its usual place."""

CENTRE_SPREAD = 0.14
"""Patients are put in the middle of the picture: spread of where they move, as a share of its width."""

MIDLINE_SPREAD, MIDLINE_WEIGHT = 0.1, 0.05
"""Spread of their midline, and the movement of the head (cells a column) that outweighs this expectation: one arm that
moves alone must not draw the midline to itself."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the patient is, in shares of the picture's height, x from its left edge: head's top, and midline."""

    top: float
    midline: float


def grid(pixels: Pixels, rows: int = GRID_ROWS) -> Grid:
    """Mean brightness in 0–255 of square cells, frames × rows × columns; a picture smaller than that stays as it is.

    Green stands for brightness: most of luminance is green, and it saves the sum of three channels.
    """
    step = max(1, pixels.shape[1] // rows)
    height, width = (max(1, n // step) for n in pixels.shape[1:3])
    cut = pixels[:, : height * step, : width * step]
    total = np.zeros((len(cut), height, width), np.float32)
    for row in range(min(step, cut.shape[1])):
        for column in range(min(step, cut.shape[2])):
            total += cut[:, row::step, column::step, 1][:, :height, :width]
    total /= step * step
    return total


def noise_level(steps: Grid) -> float:
    """Spread of the sensor's noise in a series of frame differences: most of a picture is a wall that does not move."""
    return 1.48 * float(np.median(np.abs(steps))) if steps.size else 0.0


def find_layout(liveliness: Array) -> Layout:
    """Where the patient is, from how much each cell moves over the clip (rows × columns)."""
    rows, columns = liveliness.shape
    x = (np.arange(columns) + 0.5) / columns
    prior = np.exp(-0.5 * ((x - 0.5) / CENTRE_SPREAD) ** 2)
    central = liveliness * prior
    if rows < 8 or columns < 8 or central.sum() <= 0:
        return Layout(DEFAULT_HEAD_TOP, 0.5 * columns / rows)
    top = _head_top(central.sum(1) / central.sum(), rows)
    band = liveliness[int(top * rows) : int((top + HEAD_HEIGHT) * rows) + 1].sum(0)
    weight = (band + MIDLINE_WEIGHT) * np.exp(-0.5 * ((x - 0.5) / MIDLINE_SPREAD) ** 2)
    return Layout(top, float((weight * x).sum() / weight.sum()) * columns / rows)


def region_masks(shape: tuple[int, int], layout: Layout) -> dict[str, Mask]:
    """Cells of head, arms and legs, by the patient's own sides, and of the whole body; each rows × columns."""
    rows, columns = shape
    y = ((np.arange(rows) + 0.5) / rows - layout.top)[:, None]
    x = ((np.arange(columns) + 0.5) / rows - layout.midline)[None, :]
    near = np.abs(x) < REACH
    is_head = (y < HEAD_HEIGHT) & (np.abs(x) < HEAD_WIDTH / 2)
    upper = near & (y < HEAD_HEIGHT + NECK_TO_HIP) & ~is_head
    lower = near & (y >= HEAD_HEIGHT + NECK_TO_HIP)
    is_left = np.broadcast_to(x > 0, shape)
    return {
        "body": np.broadcast_to(near, shape),
        "head": is_head,
        "left arm": upper & is_left,
        "right arm": upper & ~is_left,
        "left leg": lower & is_left,
        "right leg": lower & ~is_left,
    }


def crop_head(pixels: Pixels, layout: Layout) -> Grid:
    """A box that holds the face, in finer cells: brightness, frames × rows × columns."""
    height, width = pixels.shape[1:3]
    top = layout.top - CROP_ABOVE
    first, last = round(top * height), round((top + CROP_HEIGHT) * height)
    left = round((layout.midline - HEAD_WIDTH / 2) * height)
    right = round((layout.midline + HEAD_WIDTH / 2) * height)
    rows = slice(max(0, min(first, height - 1)), max(1, last))
    columns = slice(max(0, min(left, width - 1)), max(1, right))
    return grid(pixels[:, rows, columns], FACE_ROWS)


def _head_top(profile: Array, rows: int) -> float:
    """The uppermost row of the body: where a little of the movement, seen from above, has been passed."""
    reached = int(np.argmax(np.cumsum(profile) > 0.02))
    top = max(reached / rows - 0.02, 0.0)
    return DEFAULT_HEAD_TOP if top > LOWEST_HEAD_TOP else top
