"""Measurements of one clip: tracks with one value a frame, rhythms, and the voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from s3harness import Pixels
from s3harness_kinematics.face import eye_cells, face_picture, measure_face, mouth_cells
from s3harness_kinematics.grid import Array, Grid, Mask, grid, moved
from s3harness_kinematics.head import find_heads
from s3harness_kinematics.limbs import SIDES, measure_limbs, zone_masks
from s3harness_kinematics.rhythm import rhythm_numbers
from s3harness_kinematics.voice import MeasuredVoice


@dataclass(frozen=True, slots=True)
class Measurements:
    """Visible and audible measurements of a clip; times are seconds from its start.

    ``tracks`` holds a value for each frame by name: those of :func:`~.face.measure_face` and
    :func:`~.limbs.measure_limbs`, and ``head_x`` and ``head_y``, the distance of the head from its usual place in
    shares of the picture's height, to the patient's left and down. ``rhythms`` holds the numbers of
    :func:`~.rhythm.rhythm_numbers` by part of the body.
    """

    times: Array = field(repr=False)
    duration_s: float
    tracks: Mapping[str, Array] = field(repr=False)
    rhythms: Mapping[str, Mapping[str, float]] = field(repr=False)
    voice: MeasuredVoice = field(repr=False)

    @property
    def rate(self) -> float:
        """Frames per second; 0 for a single frame."""
        span = float(self.times[-1] - self.times[0])
        return (len(self.times) - 1) / span if span > 0 else 0.0


def measure(pixels: Pixels, times: Array, duration_s: float, voice: MeasuredVoice) -> Measurements:
    """Measure a clip; ``pixels`` are RGB uint8, frames × height × width × 3, ``times`` seconds from its start."""
    cells = grid(pixels)
    changes = moved(cells)
    heads = find_heads(cells, changes.mean(0, dtype=np.float64))
    # The zones of the body stand still at the head's usual place: they must not follow a head that turns or jerks.
    usual = np.median(heads, axis=0)
    face = face_picture(pixels, heads)
    masks = zone_masks(cells.shape[1:], (float(usual[0]), float(usual[1])))
    place = {"head_x": heads[:, 0] - usual[0], "head_y": heads[:, 1] - usual[1]}
    parts: dict[str, Grid] = {
        "arms": cells[:, _any(masks, ("reach", "chest", "shoulder"))],
        "legs": cells[:, _any(masks, ("leg",))],
        "eyes": eye_cells(face),
        "mouth": mouth_cells(face),
    }
    return Measurements(
        times=times,
        duration_s=duration_s,
        tracks=place | measure_limbs(cells, changes, masks, times) | measure_face(face),
        rhythms={name: rhythm_numbers(part, times) for name, part in parts.items()},
        voice=voice,
    )


def _any(masks: Mapping[str, Mask], zones: tuple[str, ...]) -> Mask:
    """Cells of several zones on both sides."""
    return np.asarray(np.logical_or.reduce([masks[f"{zone}_{side}"] for zone in zones for side in SIDES]))
