"""Activity of eyes and mouth, and the direction of the head, in an image of the face that moves with the head."""

from __future__ import annotations

import numpy as np

from s3harness import Pixels
from s3harness_kinematics.grid import Array, Grid, evenly_lit, moved
from s3harness_kinematics.head import HALF_HEIGHT

ROWS, COLUMNS = 48, 40
"""Cells of the face's image, about 2 mm of an adult's face each, which span :data:`SPAN` half heights of the head: an
eye is then about eight cells wide."""

SPAN = (1.15, 0.96)

EYES, MOUTH = (-0.34, 0.16), (0.4, 1.0)
"""Bands of the face in half heights below its middle."""

EYE_REACH, MOUTH_REACH, FACE_REACH = (0.08, 0.68), (0.0, 0.55), (0.0, 0.8)
"""Reach of the bands to each side of the middle, in half heights."""

CONTRAST, DARKEST_SKIN = 0.3, 40.0
"""A pupil or the white of an eye differs from the skin by this share of the skin's brightness; a lid's line is thin."""


def face_picture(pixels: Pixels, heads: Array) -> Grid:
    """Return the face in each frame as brightness, frames × :data:`ROWS` × :data:`COLUMNS`, centred.

    ``heads`` are the centres of the head (x, y) in shares of the picture's height.
    """
    height, width = pixels.shape[1:3]
    # Sampled at twice the resolution and averaged below: nearest samples of a thin lid would alias.
    v, u = (span * (np.arange(2 * n) + 0.5 - n) / n for span, n in zip(SPAN, (ROWS, COLUMNS), strict=True))
    # Clipped: beyond the picture its last colour goes on, so that a head half outside has no false edge.
    rows = np.clip((heads[:, 1:] + HALF_HEIGHT * v) * height, 0, height - 1).astype(np.intp)
    columns = np.clip((heads[:, :1] + HALF_HEIGHT * u) * height, 0, width - 1).astype(np.intp)
    frames = np.arange(len(pixels))[:, None, None]
    fine = pixels[frames, rows[:, :, None], columns[:, None, :], 1].astype(np.float32)
    return evenly_lit(np.asarray(fine.reshape(len(pixels), ROWS, 2, COLUMNS, 2).mean((2, 4)), np.float32))


def measure_face(face: Grid) -> dict[str, Array]:
    """Return tracks by name, each with one value a frame.

    ``eye_left`` and ``eye_right`` are the shares of each eye's cells that are much darker or brighter than the skin
    (open eyes have more), ``eye_white`` and ``eye_dark`` the brightest and the darkest of both eyes against the skin,
    ``mouth_left``, ``mouth_right`` and ``teeth`` the dark and bright shares of the mouth's halves and of the mouth;
    ``…_moves_…`` the share that changed since the frame before (0–1). ``yaw`` is the offset of the features and
    ``shade`` the difference in brightness of its halves, both positive to the patient's left.
    """
    skin = np.maximum(np.median(_band(face, (-0.4, 0.8), (0.0, 0.5)), axis=1), DARKEST_SKIN)
    # No share counts as a cut: a turning head changes most of the face's image.
    changes = moved(face, cut_share=1.1)
    tracks = _eyes(face, skin) | _mouth(face, skin) | _direction(face)
    for side in ("left", "right"):
        tracks[f"eye_moves_{side}"] = _mean(_band(changes, EYES, EYE_REACH, side))
        tracks[f"mouth_moves_{side}"] = _mean(_band(changes, MOUTH, MOUTH_REACH, side))
    return tracks | {"face_moves": _mean(_band(changes, (-0.9, 1.0), FACE_REACH))}


def eye_cells(face: Grid) -> Grid:
    """Return the cells of both eyes, frames × cells."""
    return _band(face, EYES, EYE_REACH)


def mouth_cells(face: Grid) -> Grid:
    """Return the cells of the mouth, frames × cells."""
    return _band(face, MOUTH, MOUTH_REACH)


def _eyes(face: Grid, skin: Array) -> dict[str, Array]:
    both = _band(face, EYES, EYE_REACH)
    # Percentiles, not extremes: one noisy cell is no white of an eye.
    low, middle, high = np.percentile(both, (4, 50, 96), axis=1)
    return {
        "eye_left": _outstanding(np.abs(_against(_band(face, EYES, EYE_REACH, "left"), skin)), skin),
        "eye_right": _outstanding(np.abs(_against(_band(face, EYES, EYE_REACH, "right"), skin)), skin),
        "eye_white": np.asarray((high - middle) / skin),
        "eye_dark": np.asarray((middle - low) / skin),
    }


def _mouth(face: Grid, skin: Array) -> dict[str, Array]:
    left, right = (_against(_band(face, MOUTH, MOUTH_REACH, side), skin) for side in ("left", "right"))
    both = np.concatenate([left, right], axis=1)
    return {
        "mouth_left": _outstanding(-left, skin),
        "mouth_right": _outstanding(-right, skin),
        "teeth": _outstanding(both, skin),
    }


def _direction(face: Grid) -> dict[str, Array]:
    v, u = _axes()
    inside = (np.abs(u) < FACE_REACH[1]) & (v > EYES[0]) & (v < MOUTH[1])
    edges = np.abs(np.diff(face, axis=2, append=face[:, :, -1:])) * inside
    left, right = (_mean(_band(face, (EYES[0], 0.8), FACE_REACH, side)) for side in ("left", "right"))
    return {
        # The eyes and the mouth make the edges of a face: their centre of mass moves to where the head turns.
        "yaw": np.asarray((edges * u).sum((1, 2), dtype=np.float64) / (edges.sum((1, 2), dtype=np.float64) + 1e-6)),
        "shade": np.asarray((left - right) / (left + right + DARKEST_SKIN)),
    }


def _axes() -> tuple[Array, Array]:
    """Down and to the patient's left, in half heights of the head, as a column and a row."""
    v = SPAN[0] * ((np.arange(ROWS) + 0.5) / ROWS * 2 - 1)
    u = SPAN[1] * ((np.arange(COLUMNS) + 0.5) / COLUMNS * 2 - 1)
    return v[:, None], u[None, :]


def _band(face: Grid, rows: tuple[float, float], reach: tuple[float, float], side: str = "") -> Grid:
    """Cells of a band, frames × cells, on one of the patient's sides or on both."""
    v, u = _axes()
    beside = u if side == "left" else -u if side == "right" else np.abs(u)
    return face[:, (v > rows[0]) & (v < rows[1]) & (beside >= reach[0]) & (beside < reach[1])]


def _against(cells: Grid, skin: Array) -> Grid:
    return np.asarray(cells - skin[:, None], np.float32)


def _outstanding(difference: Grid, skin: Array) -> Array:
    """Share of the cells that stand out from the skin, for each frame."""
    return np.asarray((difference > CONTRAST * skin[:, None]).mean(1), np.float64)


def _mean(cells: Grid) -> Array:
    return np.asarray(cells.mean(1, dtype=np.float64))
