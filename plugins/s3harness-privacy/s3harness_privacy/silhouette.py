"""Silhouettes: white where a picture differs from the background of its clip, black elsewhere.

The background is the median of the clip's pictures, so a patient who lies still for most of a clip disappears.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

import s3harness

MIN_DIFFERENCE = 16.0
"""Grey levels, of 256, by which a picture differs from the background where something moves."""

NOISE_FACTOR = 5.0
"""Or so many standard deviations of the noise, where that is more."""

MAD_TO_STD = 1.4826
"""The standard deviation of normal noise over the median of its absolute values."""

SPECKLE, GAP = 3, 9
"""Sides, in pixels, of spots that are removed and of holes that are filled."""


class Silhouette(s3harness.Transform):
    """Pictures of two levels, 0 and 255; the sound stays."""

    def __call__(self, frames: s3harness.Frames) -> s3harness.Frames:
        """Return white silhouettes on black, of each picture's difference from the median of all."""
        grey = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in frames.pixels])
        background = np.median(grey, axis=0)
        masks = [_mask(np.abs(picture - background)) for picture in grey]
        return s3harness.Frames(np.stack([np.repeat(m[:, :, None], 3, axis=2) for m in masks]), frames.timestamps)


def _mask(difference: NDArray[np.float64]) -> NDArray[np.uint8]:
    # Most of a picture is background, so the median difference is that of the noise alone.
    threshold = max(MIN_DIFFERENCE, NOISE_FACTOR * MAD_TO_STD * float(np.median(difference)))
    mask = np.where(cv2.GaussianBlur(difference, (5, 5), 0) > threshold, 255, 0).astype(np.uint8)
    # Opening removes specks, closing fills holes; the other way round specks would grow together first.
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((SPECKLE, SPECKLE), np.uint8))
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((GAP, GAP), np.uint8)), np.uint8)


silhouette = Silhouette()
