"""The noise of the camera's sensor, added to the brightness of each frame just before it is encoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s3harness_synth.setting import VideoSetting

# The stride and the number of tiles share no factor, so that all tiles come before one is shown again.
# Fresh noise would take some 6 million random numbers for a second of 640 × 360 at 25 frames.
_TILES = 12
_STRIDE = 7
# Studio range ends at 16 and 240, so that a byte holds the sum.
_LARGEST = 12.0


@dataclass(frozen=True, slots=True)
class Grain:
    """A few fields of noise that are shown in turn; uint8, (tiles, height, width), negative values modulo 256."""

    tiles: NDArray[np.uint8]

    def add_to(self, luma: NDArray[np.uint8], index: int) -> None:
        """Add the noise of frame ``index`` to a plane of brightness, in place.

        The addition wraps around, which is right here: studio-range brightness keeps the noise's reach from 0 and 255.
        """
        np.add(luma, self.tiles[index * _STRIDE % _TILES], out=luma)


def make_grain(setting: VideoSetting, resolution: tuple[int, int]) -> Grain:
    """Return the noise of a setting for frames of ``resolution`` (width, height)."""
    width, height = resolution
    rng = np.random.default_rng([setting.room_seed, 3])
    noise = rng.normal(0, setting.noise, (_TILES, height, width)).clip(-_LARGEST, _LARGEST)
    return Grain(noise.round().astype(np.int8).view(np.uint8))
