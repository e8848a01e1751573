"""All that is measured of one clip: series of one value a frame, rhythms, and the voice."""

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
from s3harness_kinematics.voice import Voice


@dataclass(frozen=True, slots=True)
class Measurements:
    """What is seen and heard of a clip; times are seconds from its start.

    ``tracks`` has by name a value for each frame (:func:`~.face.measure_face`, :func:`~.limbs.measure_limbs`, and
    ``head_x`` and ``head_y``, where the head is against where it usually is, in shares of the picture's height, to the
    patient's left and down). ``rhythms`` has by part the numbers of :func:`~.rhythm.rhythm_numbers`.
    """

    times: Array = field(repr=False)
    duration_s: float
    tracks: Mapping[str, Array] = field(repr=False)
    rhythms: Mapping[str, Mapping[str, float]] = field(repr=False)
    voice: Voice = field(repr=False)

    @property
    def rate(self) -> float:
        """Frames a second; 0 of a single frame."""
        span = float(self.times[-1] - self.times[0])
        return (len(self.times) - 1) / span if span > 0 else 0.0


def measure(pixels: Pixels, times: Array, duration_s: float, voice: Voice) -> Measurements:
    """Measure a clip: ``pixels`` RGB uint8 frames × height × width × 3, ``times`` seconds from its start."""
    cells = grid(pixels)
    changes = moved(cells)
    heads = find_heads(cells, changes.mean(0, dtype=np.float64))
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
    """The cells of several zones on both sides."""
    return np.asarray(np.logical_or.reduce([masks[f"{zone}_{side}"] for zone in zones for side in SIDES]))
