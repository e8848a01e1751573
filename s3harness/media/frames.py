"""What the media store gives of a clip."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]

RATE = 24_000
"""Samples a second at which sound is kept; a clip's is resampled from it."""


class Frames(NamedTuple):
    """The pictures of a clip, one for each wanted timestamp.

    ``pixels`` is RGB, uint8, frames × height × width × 3. ``timestamps`` are the times of the pictures in the file,
    in seconds from the start of the video; they ascend, and repeat where a video has fewer pictures than were wanted.
    """

    pixels: Pixels
    timestamps: tuple[float, ...]


class Jpegs(NamedTuple):
    """The pictures of a clip as JPEG files, one for each wanted timestamp, and their times as in :class:`Frames`."""

    images: tuple[bytes, ...]
    timestamps: tuple[float, ...]
