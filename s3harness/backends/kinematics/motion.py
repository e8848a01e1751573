"""What is seen of a clip, as time series: how much each part of the body moves, and what the face does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from s3harness.backends.kinematics.picture import (
    Array,
    Grid,
    Layout,
    colourfulness,
    crop_head,
    find_layout,
    grid,
    noise_level,
    region_masks,
)
from s3harness.backends.kinematics.series import smooth
from s3harness.media.frames import Pixels

PARTS = ("head", "left arm", "right arm", "left leg", "right leg")

NOISE_FACTOR, SMALLEST_STEP = 5.0, 3.0
"""A cell has moved where its brightness changes by so many times the noise, and by more than the codec's own ripple."""

CUT_SHARE = 0.6
"""A difference in more than this share of the picture is a cut or a light switched, not a patient."""

INFRARED_COLOUR = 6.0
"""Median difference of red and blue below which a view is infrared; a lit hospital room has 8 and more."""

EYES, MOUTH = (0.3, 0.62), (0.6, 0.95)
"""Bands of the head's box, from its top, in which eyes and mouth lie."""

CHEEKS = (0.18, 0.82)


@dataclass(frozen=True, slots=True)
class Motion:
    """What is seen. Every series has one value for each frame; times are seconds from the start of the clip.

    ``energy`` is the share of the body's cells that moved since the frame before, ``parts`` the same of each part by the
    patient's own sides, ``posture`` how far each part is (mean grey levels) from where it is most of the clip.
    ``head_offset`` is where the face's features lie in the head, in head widths, positive to the patient's left.
    ``eye_openness`` is the contrast in the band of the eyes in grey levels, ``mouth_darkness`` how dark the darkest of
    the mouth's band is against the face, ``eyes`` and ``mouth`` how much these move (0–1).
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
    is_infrared: bool

    @property
    def rate_hz(self) -> float:
        """Frames a second, 0 for a single frame."""
        span = float(self.times[-1] - self.times[0])
        return (len(self.times) - 1) / span if span > 0 else 0.0


def measure_motion(pixels: Pixels, times: Array, duration_s: float) -> Motion:
    """Measure a clip: ``pixels`` RGB uint8 frames × height × width × 3, ``times`` seconds from its start."""
    cells = _evenly_lit(grid(pixels))
    moved = _moved(cells)
    layout = find_layout(moved.mean(0, dtype=np.float64))
    masks = region_masks(cells.shape[1:], layout)
    usual = np.median(cells, axis=0)
    face = _evenly_lit(crop_head(pixels, layout))
    parts = {part: _share(moved, masks[part]) for part in PARTS}
    face_moved = _moved(face, CUT_SHARE + 1)
    eyes, mouth = _band(face, EYES), _band(face, MOUTH)
    return Motion(
        times=times,
        energy=_share(moved, masks["body"]),
        parts=parts,
        posture={part: _mean(np.abs(cells - usual), masks[part]) for part in PARTS},
        head_offset=_feature_offset(face),
        eye_openness=_contrast(eyes),
        mouth_darkness=_darkness(mouth, face),
        eyes=_band(face_moved, EYES).mean((1, 2)),
        mouth=_band(face_moved, MOUTH).mean((1, 2)),
        mouth_sides=_halves(_band(face_moved, MOUTH)),
        duration_s=duration_s,
        is_infrared=colourfulness(pixels) < INFRARED_COLOUR,
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


def _share(moved: Grid, mask: Array) -> Array:
    return moved[:, mask].mean(1, dtype=np.float64) if mask.any() else np.zeros(len(moved))


_mean = _share


def _band(face: Grid, band: tuple[float, float]) -> Grid:
    """A horizontal band of the head's box without its edges; never empty."""
    rows, columns = face.shape[1:]
    first, last = (int(share * rows) for share in band)
    left, right = (int(share * columns) for share in CHEEKS)
    return face[:, first : max(last, first + 1), left : max(right, left + 1)]


def _contrast(band: Grid) -> Array:
    """Spread of the brightness between the darkest and the brightest tenth."""
    low, high = np.percentile(band, (5, 95), axis=(1, 2))
    return np.asarray(high - low, np.float64)


def _darkness(mouth: Grid, face: Grid) -> Array:
    return np.asarray(np.median(face, axis=(1, 2)) - np.percentile(mouth, 5, axis=(1, 2)), np.float64)


def _halves(band: Grid) -> dict[str, Array]:
    """The movement of the right and left half of a band, by the patient's sides."""
    middle = max(1, band.shape[2] // 2)
    left = band[:, :, middle:] if band.shape[2] > 1 else band
    return {"right": band[:, :, :middle].mean((1, 2)), "left": left.mean((1, 2))}


def _feature_offset(face: Grid) -> Array:
    """Where the dark features of the eyes' and the mouth's bands lie against the middle, in widths of the head."""
    rows, columns = face.shape[1:]
    first, last = int(EYES[0] * rows), max(int(MOUTH[1] * rows), int(EYES[0] * rows) + 1)
    inner = face[:, first:last]
    edges = np.abs(np.diff(inner, axis=1)) if inner.shape[1] > 1 else np.zeros_like(inner)
    weight = edges.sum(1, dtype=np.float64) + 1e-6
    x = (np.arange(columns) + 0.5) / columns - 0.5
    return smooth((weight * x).sum(1) / weight.sum(1), 1)
