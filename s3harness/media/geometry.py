"""The size and the orientation of frames."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDEST_PIXEL = 4
"""A pixel aspect ratio beyond 4:1 or 1:4 is a broken header, and is taken as square."""


class Size(NamedTuple):
    """Width and height of an upright frame in pixels."""

    width: int
    height: int


def fit(size: Size, max_pixels: int) -> Size:
    """Return the largest even size of the same shape with at most ``max_pixels`` pixels, never larger than ``size``.

    No side is made less than 2 pixels long.
    """
    # Frames are never enlarged: that would cost tokens and add nothing.
    scale = min(1.0, math.sqrt(max_pixels / (size.width * size.height)))
    return Size(_even(size.width * scale), _even(size.height * scale))


Crop = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a frame, as shares of its width and height in 0–1."""


def uncropped_pixels(max_pixels: int, crop: Crop | None) -> int:
    """Return the pixels of the whole frame of which the part ``crop`` has ``max_pixels``."""
    return max_pixels if crop is None else round(max_pixels / ((crop[2] - crop[0]) * (crop[3] - crop[1])))


def crop_box(size: Size, crop: Crop) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the part in whole pixels; its sides are even and at least 2 pixels long."""
    width, height = (max(2, _even(share)) for share in ((crop[2] - crop[0]) * size[0], (crop[3] - crop[1]) * size[1]))
    left, top = min(round(crop[0] * size[0]), size[0] - width), min(round(crop[1] * size[1]), size[1] - height)
    return left, top, left + width, top + height


def times_by_size(source: Size, wanted: Mapping[int, frozenset[float]]) -> dict[Size, frozenset[float]]:
    """Group the wanted times by the size that their budget of pixels (``max_pixels`` → times) comes to."""
    times: dict[Size, frozenset[float]] = {}
    for max_pixels, at in wanted.items():
        size = fit(source, max_pixels)
        times[size] = times.get(size, frozenset()) | at
    return times


def square_pixels(size: Size, aspect: Fraction | None) -> Size:
    """Return the size with square pixels, where ``aspect`` is a pixel's width by its height.

    One side shrinks, none grows.
    """
    if aspect is None or not Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
        return size
    if aspect > 1:
        return Size(size.width, max(1, round(size.height / aspect)))
    return Size(max(1, round(size.width * aspect)), size.height)


@dataclass(frozen=True, slots=True)
class Orientation:
    """The steps that make a stored frame upright: exchange rows and columns, then mirror."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def rotation(self) -> int:
        """Clockwise turn that makes the stored frame upright, in degrees: 0, 90, 180 or 270."""
        if self.transpose:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_y else 0

    def turn(self, size: Size) -> Size:
        """Size of a frame after, or before, the turn."""
        return Size(size.height, size.width) if self.transpose else size

    def upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the frame, height × width × 3, turned; contiguous."""
        turned = pixels.swapaxes(0, 1) if self.transpose else pixels
        return np.ascontiguousarray(turned[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1])


def orientation(display_matrix: bytes | None) -> Orientation:
    """Return the orientation that a container's display matrix (ISO/IEC 14496-12 §6.2.2, 9 native int32) asks for.

    Turns of any angle become the nearest of the eight that keep rows and columns. A mirrored frame is mirrored
    back, as left and right matter.
    """
    if display_matrix is None or len(display_matrix) != struct.calcsize("9i"):
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("9i", display_matrix)
    # The larger pair says whether rows stay rows: an angle between two quarter turns goes to the nearer one.
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def _even(length: float) -> int:
    # H.264 with 4:2:0 colour takes even sizes alone. A product such as 63.999… that should be whole counts as whole.
    return max(2, math.floor(length + 1e-9) // 2 * 2)
