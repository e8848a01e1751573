"""What is seen of a clip, as time series: how much each part of the body moves, and what the face does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from s3harness.backends.kinematics.picture import (
    Array,
    Grid,
    Mask,
    crop_head,
    find_layout,
    grid,
    noise_level,
    region_masks,
)
from s3harness.backends.kinematics.rhythm import find_rhythm
from s3harness.backends.kinematics.series import smooth
from s3harness.media.frames import Pixels

PARTS = ("head", "left arm", "right arm", "left leg", "right leg")

NOISE_FACTOR, SMALLEST_STEP = 5.0, 3.0
"""A cell has moved where its brightness changes by so many times the noise, and by more than the codec's own ripple."""

CUT_SHARE = 0.6
"""A difference in more than this share of the picture is a cut or a light switched, not a patient."""

OPENING_FRAMES = 3
"""Posture is measured against the median of the first frames: a clip of a change most often begins before it."""

EYE_ROWS = (0.25, 0.7)
"""The eyes are the row of the face's crop with the most upright edges, looked for between these shares of it."""

EYES, MOUTH = (-0.09, 0.09), (0.17, 0.42)
"""Bands around the eyes' row, in shares of the crop's height, in which eyes and mouth lie."""

CHEEKS = (0.2, 0.8)

FEATURE_CONTRAST, DARKEST_SKIN = 0.3, 40.0
"""A pupil or the white of an eye differs from the skin by this share of the skin's brightness; a lid's line is thin."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What is seen. Every series has one value for each frame; times are seconds from the start of the clip.

    ``energy`` is the share of the body's cells that moved since the frame before, ``parts`` the same of each part by
    the patient's own sides, ``posture`` how far each part is (mean grey levels) from where it is as the clip opens.
    ``head_offset`` is where the face's features lie in the head, in head widths, positive to the patient's left.
    ``eye_openness`` is the share of the eyes' band that is much darker or brighter than the skin (open eyes have 0.2
    and more, closed ones 0.15), ``mouth_darkness`` the same of the mouth's band for darker alone, ``eyes`` and
    ``mouth`` how much these bands move (0–1), ``mouth_sides`` each half of the mouth's.
    ``rhythm`` is the frequency (Hz) of the liveliest movement and its share (0–1), 0 where the frames come too slowly.
    """

    times: Array
    energy: Array
    parts: Mapping[str, Array] = field(repr=False)
    posture: Mapping[str, Array] = field(repr=False)
    head_offset: Array
    eye_openness: Array
    mouth_darkness: Array
    eyes: Array
    mouth: Array
    mouth_sides: Mapping[str, Array] = field(repr=False)
    duration_s: float
    rhythm: tuple[float, float]


def measure_motion(pixels: Pixels, times: Array, duration_s: float) -> Motion:
    """Measure a clip: ``pixels`` RGB uint8 frames × height × width × 3, ``times`` seconds from its start."""
    cells = _evenly_lit(grid(pixels))
    moved = _moved(cells)
    layout = find_layout(moved.mean(0, dtype=np.float64))
    masks = region_masks(cells.shape[1:], layout)
    opening = np.median(cells[:OPENING_FRAMES], axis=0)
    face = _evenly_lit(crop_head(pixels, layout))
    row = _eye_row(face)
    eyes, mouth = _band(face, row, EYES), _band(face, row, MOUTH)
    face_moved = _moved(face, CUT_SHARE + 1)
    skin = np.median(_band(face, row, (EYES[0], MOUTH[1])), axis=(1, 2), keepdims=True)
    return Motion(
        times=times,
        energy=_mean(moved, masks["body"]),
        parts={part: _mean(moved, masks[part]) for part in PARTS},
        posture={part: _mean(np.abs(cells - opening), masks[part]) for part in PARTS},
        head_offset=_feature_offset(_band(face, row, (EYES[0], MOUTH[1]), cheeks=(0.0, 1.0))),
        eye_openness=_outstanding(np.abs(eyes - skin), skin),
        mouth_darkness=_outstanding(skin - mouth, skin),
        eyes=_band(face_moved, row, EYES).mean((1, 2), dtype=np.float64),
        mouth=_band(face_moved, row, MOUTH).mean((1, 2), dtype=np.float64),
        mouth_sides=_halves(_band(face_moved, row, MOUTH)),
        duration_s=duration_s,
        rhythm=find_rhythm(cells, moved, times),
    )


def _evenly_lit(cells: Grid) -> Grid:
    """The brightness with what the whole picture gains or loses from frame to frame taken off."""
    if not cells.size:
        return cells
    level = np.median(cells, axis=(1, 2), keepdims=True)
    return np.asarray(cells - (level - np.median(level)), np.float32)


def _moved(cells: Grid, cut_share: float = CUT_SHARE) -> Grid:
    """1 where a cell changed since the frame before, 0 elsewhere and throughout the first frame and at a cut."""
    steps = np.diff(cells, axis=0, prepend=cells[:1])
    threshold = max(SMALLEST_STEP, NOISE_FACTOR * noise_level(steps[1:]))
    moved = np.abs(steps) > threshold
    moved[moved.mean((1, 2)) > cut_share] = False
    return moved.astype(np.float32)


def _mean(values: Grid, mask: Mask) -> Array:
    """The mean over the cells of a part, for each frame; 0 where the picture does not show it."""
    return np.asarray(values[:, mask].mean(1, dtype=np.float64)) if mask.any() else np.zeros(len(values))


def _eye_row(face: Grid) -> int:
    """The row of the eyes: upright edges of pupils, whites and lids, averaged over the clip."""
    rows, columns = face.shape[1:]
    inner = face[:, :, int(CHEEKS[0] * columns) : max(int(CHEEKS[1] * columns), 1)]
    if rows < 8 or inner.shape[2] < 2:
        return int(rows) // 2
    edges = np.abs(np.diff(inner, axis=2)).mean((0, 2))
    profile = np.convolve(edges, np.ones(5) / 5, mode="same")
    first, last = int(EYE_ROWS[0] * rows), int(EYE_ROWS[1] * rows)
    return first + int(np.argmax(profile[first:last]))


def _band(face: Grid, row: int, band: tuple[float, float], cheeks: tuple[float, float] = CHEEKS) -> Grid:
    """A band of the face around the row of the eyes, between the cheeks; never empty."""
    rows, columns = face.shape[1:]
    first, last = (min(max(row + round(share * rows), 0), rows) for share in band)
    left, right = (int(share * columns) for share in cheeks)
    return face[:, min(first, rows - 1) : max(last, first + 1), left : max(right, left + 1)]


def _outstanding(difference: Grid, skin: Grid) -> Array:
    """The share of a band's cells that stand out from the skin, for each frame."""
    threshold = FEATURE_CONTRAST * np.maximum(skin, DARKEST_SKIN)
    return np.asarray((difference > threshold).mean((1, 2)), np.float64)


def _halves(band: Grid) -> dict[str, Array]:
    """The movement of the right and left half of a band, by the patient's sides."""
    middle = max(1, band.shape[2] // 2)
    left = band[:, :, middle:] if band.shape[2] > 1 else band
    return {
        "right": band[:, :, :middle].mean((1, 2), dtype=np.float64),
        "left": left.mean((1, 2), dtype=np.float64),
    }


def _feature_offset(face: Grid) -> Array:
    """Where eyes, nose and mouth lie against the middle of the head, in shares of the band's width."""
    columns = face.shape[2]
    edges = np.abs(np.diff(face, axis=1)) if face.shape[1] > 1 else np.zeros_like(face)
    weight = edges.sum(1, dtype=np.float64) + 1e-6
    x = (np.arange(columns) + 0.5) / columns - 0.5
    return smooth((weight * x).sum(1) / weight.sum(1), 1)
