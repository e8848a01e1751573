"""Small grids of brightness made of frames, and the cells of them that moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from s3harness import Pixels

Array = NDArray[np.float64]
Grid = NDArray[np.float32]
Mask = NDArray[np.bool_]

GRID_ROWS = 90
"""Rows of the grid of square cells: a head is then about twenty cells high, a hand four, and noise averages out."""

NOISE_FACTOR, SMALLEST_STEP = 5.0, 3.0
"""A cell has moved if its brightness changes by more than this multiple of the noise, and by more than the codec's
own ripple."""

CUT_SHARE = 0.6
"""A difference in more than this share of the picture is a cut or a light switched, not a patient."""


def grid(pixels: Pixels, rows: int = GRID_ROWS) -> Grid:
    """Return the mean brightness (0–255) of square cells, frames × rows × columns, evenly lit.

    A picture of fewer rows keeps its own.
    """
    down = max(1, pixels.shape[1] // rows)
    across = min(down, pixels.shape[2])
    height, width = pixels.shape[1] // down, pixels.shape[2] // across
    # Green stands for brightness: most of luminance is green, and it saves the sum of three channels.
    green = np.ascontiguousarray(pixels[:, : height * down, : width * across, 1])
    # Sums of up to 257 rows of 8 bits fit into 16 bits, which halves the memory of a 32-bit sum.
    of_rows = np.zeros((len(pixels), height, width * across), np.uint16)
    for row in range(down):
        of_rows += green[:, row::down]
    total = np.zeros((len(pixels), height, width), np.float32)
    for column in range(across):
        total += of_rows[:, :, column::across]
    return evenly_lit(total / (down * across))


def evenly_lit(cells: Grid) -> Grid:
    """Return the brightness less what the whole picture gains or loses from frame to frame."""
    if not cells.size:
        return cells
    # A median: a patient who moves is less than half of the picture, a lamp that is switched is all of it.
    level = np.median(cells, axis=(1, 2), keepdims=True)
    return np.asarray(cells - (level - np.median(level)), np.float32)


def moved(cells: Grid, cut_share: float = CUT_SHARE) -> Grid:
    """Return 1 where a cell changed since the frame before, 0 elsewhere, in the first frame and at a cut."""
    steps = np.diff(cells, axis=0, prepend=cells[:1])
    threshold = max(SMALLEST_STEP, NOISE_FACTOR * noise_level(steps[1:]))
    has_moved = np.abs(steps) > threshold
    has_moved[has_moved.mean((1, 2)) > cut_share] = False
    return has_moved.astype(np.float32)


def noise_level(steps: Grid) -> float:
    """Return the spread of the sensor's noise in a series of frame differences."""
    # 1.48 × the median of the magnitudes estimates a normal spread; most of a picture is a wall that does not move.
    return 1.48 * float(np.median(np.abs(steps))) if steps.size else 0.0
