"""Position of the head in each frame: the best oval outline near the middle of the movement.

The usual view is presupposed: the camera looks from the foot of the bed or the front of the chair, the head is up, and
the patient's left is on the right of the picture. No parameter is fitted to data.
"""

from __future__ import annotations

import numpy as np

from s3harness_kinematics.grid import Array, Grid

HALF_HEIGHT, HALF_WIDTH = 0.112, 0.092
"""Half the head's height and width as shares of the picture's height, where an adult fills the picture (1.5 m)."""

USUAL_Y, SPREAD_Y = 0.17, 0.06
SPREAD_X = 0.045
"""Expected position of the middle of a head and its spread, in shares of the picture's height."""

SEARCHED_Y, SEARCHED_X = 0.5, 0.4
"""Area in which heads are searched: rows down to the first share, and the second share to each side of the midline."""

EXPECTATION = 0.05
"""Twice the cost of a distance of one spread from the expected position, in shares of a perfect outline's score."""

STEADINESS, USUAL_STEP = 0.02, 0.05
"""Cost of a distance of one usual step (in shares of the picture's height) from the position in the whole clip."""

RIM = (0.88, 1.12)
"""The outline lies between these multiples of the half axes."""

CHIN = 0.55
"""Below this share of the half height the neck hides the outline."""

FAINT_EDGE = 8.0
"""Grey levels from cell to cell at which an edge counts half: an outline is long, not strong."""

CENTRE_SPREAD, MIDLINE_SPREAD, MIDLINE_WEIGHT = 0.14, 0.1, 0.05
"""Spread of where patients move and of their midline, as shares of the picture's width, and the movement (cells a
column) that outweighs this expectation: one arm that moves alone must not draw the midline to itself."""


def find_heads(cells: Grid, liveliness: Array) -> Array:
    """Return the middle of the head in each frame, frames × (x, y) in shares of the picture's height.

    ``cells`` are frames × rows × columns of brightness, ``liveliness`` is the mean movement of each cell in the clip.
    """
    frames, rows, columns = cells.shape
    if min(rows, columns) < 8:  # no outline fits into so few cells
        return np.tile([0.5 * columns / rows, USUAL_Y], (frames, 1))
    middle = midline(liveliness)
    first, last = max(0, int((middle - SEARCHED_X) * rows)), min(columns, int((middle + SEARCHED_X) * rows) + 1)
    searched = cells[:, : int(SEARCHED_Y * rows), first:last]
    y = (np.arange(searched.shape[1]) + 0.5)[:, None] / rows
    x = (np.arange(first, last) + 0.5)[None, :] / rows
    expected = ((y - USUAL_Y) / SPREAD_Y) ** 2 + ((x - middle) / SPREAD_X) ** 2
    scores = outline_scores(searched, rows) - 0.5 * EXPECTATION * expected.astype(np.float32)
    # First one place for the whole clip, then each frame near it: another round edge misleads a single frame.
    down, across = np.unravel_index(int(scores.mean(0).argmax()), scores.shape[1:])
    off = ((y - y[down, 0]) ** 2 + (x - x[0, across]) ** 2) / USUAL_STEP**2
    best = (scores - STEADINESS * off.astype(np.float32)).reshape(frames, -1).argmax(1)
    return np.stack([x[0, best % x.shape[1]], y[best // x.shape[1], 0]], axis=1)


def outline_scores(cells: Grid, height: int) -> Grid:
    """Return the fit of an oval outline of a head's size around each cell, 0–1, frames × rows × columns.

    The fit is the mean over the outline of the squared share of the brightness gradient that is at right angles to it.
    ``height`` is the height of the whole picture in cells.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    down, across = np.gradient(cells, axis=(1, 2))
    power = down * down + across * across + FAINT_EDGE**2
    templates = _outline(HALF_HEIGHT * height, HALF_WIDTH * height)
    reach = len(templates[0]) // 2
    # Correlation by FFT: the templates have hundreds of cells, and there are three of them for every frame.
    size = tuple(next_fast_len(n + 2 * reach, real=True) for n in cells.shape[1:])
    parts = (across * across / power, across * down / power, down * down / power)
    total = sum(
        rfft2(part, size) * rfft2(np.flip(template).astype(np.float32), size)
        for part, template in zip(parts, templates, strict=True)
    )
    rows, columns = cells.shape[1:]
    return np.asarray(irfft2(total, size)[:, reach : reach + rows, reach : reach + columns], np.float32)


def midline(liveliness: Array) -> float:
    """Return the middle of the moving body, in shares of the picture's height from its left edge."""
    rows, columns = liveliness.shape
    x = (np.arange(columns) + 0.5) / columns
    central = liveliness * np.exp(-0.5 * ((x - 0.5) / CENTRE_SPREAD) ** 2)
    if central.sum() <= 0:
        return 0.5 * float(columns) / float(rows)
    top = int(np.argmax(np.cumsum(central.sum(1)) > 0.02 * central.sum()))
    # Movement that begins lower than this is of arms or legs, and says nothing of the head.
    top = top if top < 0.2 * rows else int(0.05 * rows)
    band = liveliness[max(0, top - rows // 50) : top + rows // 5].sum(0)
    weight = (band + MIDLINE_WEIGHT) * np.exp(-0.5 * ((x - 0.5) / MIDLINE_SPREAD) ** 2)
    return float((weight * x).sum() / weight.sum()) * float(columns) / float(rows)


def _outline(half_height: float, half_width: float) -> tuple[Array, Array, Array]:
    """WeightedSum of the squared and mixed gradients across and down, around the middle of an oval."""
    reach = int(np.ceil(1.2 * half_height))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    radius = np.hypot(x / half_width, y / half_height)
    weight = ((radius > RIM[0]) & (radius < RIM[1]) & (y < CHIN * half_height)).astype(np.float64)
    weight /= weight.sum()
    across, down = x / half_width**2, y / half_height**2
    length = np.maximum(np.hypot(across, down), 1e-9)
    across, down = across / length, down / length
    return weight * across * across, 2 * weight * across * down, weight * down * down
