"""From frames to small grids of brightness, and which of their cells moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from s3harness import Pixels

Array = NDArray[np.float64]
Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRID_ROWS = 90
"""Rows of the grid, square cells: a head is then about twenty cells high, a hand four, and noise averages out."""

NOISE_FACTOR, SMALLEST_STEP = 5.0, 3.0
"""A cell has moved where its brightness changes by so many times the noise, and by more than the codec's own ripple."""

CUT_SHARE = 0.6
"""A difference in more than this share of the picture is a cut or a light switched, not a patient."""


def grid(pixels: Pixels, rows: int = GRID_ROWS) -> Grid:
    """Mean brightness in 0–255 of square cells, frames × rows × columns; a picture smaller than that stays as it is.

    Green stands for brightness: most of luminance is green, and it saves the sum of three channels. What the whole
    picture gains or loses in brightness from frame to frame is taken off.
    """
    down = max(1, pixels.shape[1] // rows)
    across = min(down, pixels.shape[2])
    height, width = pixels.shape[1] // down, pixels.shape[2] // across
    green = np.ascontiguousarray(pixels[:, : height * down, : width * across, 1])
    of_rows = np.zeros((len(pixels), height, width * across), np.uint16)
    for row in range(down):
        of_rows += green[:, row::down]
    total = np.zeros((len(pixels), height, width), np.float32)
    for column in range(across):
        total += of_rows[:, :, column::across]
    return evenly_lit(total / (down * across))


def evenly_lit(cells: Grid) -> Grid:
    """The brightness with what the whole picture gains or loses from frame to frame taken off."""
    if not cells.size:
        return cells
    level = np.median(cells, axis=(1, 2), keepdims=True)
    return np.asarray(cells - (level - np.median(level)), np.float32)


def moved(cells: Grid, cut_share: float = CUT_SHARE) -> Grid:
    """1 where a cell changed since the frame before, 0 elsewhere and throughout the first frame and at a cut."""
    steps = np.diff(cells, axis=0, prepend=cells[:1])
    threshold = max(SMALLEST_STEP, NOISE_FACTOR * noise_level(steps[1:]))
    has_moved = np.abs(steps) > threshold
    has_moved[has_moved.mean((1, 2)) > cut_share] = False
    return has_moved.astype(np.float32)


def noise_level(steps: Grid) -> float:
    """Spread of the sensor's noise in a series of frame differences: most of a picture is a wall that does not move."""
    return 1.48 * float(np.median(np.abs(steps))) if steps.size else 0.0
