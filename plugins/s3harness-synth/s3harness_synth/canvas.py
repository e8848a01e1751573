"""Drawing of filled shapes, in the colour space in which video is stored, at a multiple of the final size.

Pictures hold brightness and colour difference (BT.601, studio range) rather than red, green and blue: nothing has to be
converted frame by frame on the way to the encoder. Colours are given as red, green and blue all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, hypot, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from s3harness_synth.patient import Colour

SUPERSAMPLING = 2
"""Pictures are drawn this many times larger in both directions and averaged down, which smooths their edges."""

Point = tuple[float, float]

_HALF_CIRCLE = [(cos(-pi / 2 + pi * k / 7), sin(-pi / 2 + pi * k / 7)) for k in range(8)]
_CIRCLE = [(cos(2 * pi * k / 22), sin(2 * pi * k / 22)) for k in range(22)]

# Studio range (BT.601, 16–235): what H.264 files hold, so that nothing is converted again for the encoder.
_TO_STORED = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]])
_STORED_ZERO = np.array([16.0, 128.0, 128.0])


class Canvas:
    """Draw on a picture in its own pixels; colours are red, green and blue in 0–255."""

    def __init__(self, picture: Image.Image) -> None:
        """``picture`` is of mode YCbCr, as :func:`blank` makes it."""
        self.picture = picture
        self._draw = ImageDraw.Draw(picture)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._draw.polygon(points, fill=_stored_colour(colour))

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a polyline; at least one pixel wide."""
        self._draw.line(points, fill=_stored_colour(colour), width=max(1, round(width)), joint="curve")

    def disc(self, centre: Point, radius: float, colour: Colour, flat: float = 1.0) -> None:
        """Fill a circle, or an ellipse whose height is ``flat`` times its width."""
        (x, y), high = centre, radius * flat
        self.polygon([(x + radius * c, y + high * s) for c, s in _CIRCLE], colour)

    def capsule(self, start: Point, end: Point, widths: Point, colour: Colour) -> None:
        """Fill a limb: round ends with the radii ``widths`` at start and end."""
        (ax, ay), (bx, by), (ra, rb) = start, end, widths
        length = hypot(bx - ax, by - ay)
        # One circle lies within the other: they have no common tangent.
        if length <= abs(ra - rb):
            self.disc(start if ra > rb else end, max(ra, rb), colour)
            return
        ux, uy = (bx - ax) / length, (by - ay) / length
        px, py, qx, qy = ra * ux, ra * uy, rb * ux, rb * uy
        tip = [(bx + qx * c - qy * s, by + qy * c + qx * s) for c, s in _HALF_CIRCLE]
        tail = [(ax - px * c + py * s, ay - py * c - px * s) for c, s in _HALF_CIRCLE]
        self.polygon(tip + tail, colour)


def blank(size: tuple[int, int], colour: Colour) -> Image.Image:
    """Return a picture of ``size`` (width, height) pixels to draw on."""
    return Image.new("YCbCr", size, _stored_colour(colour))


def dimmed(picture: Image.Image, light: np.ndarray) -> Image.Image:
    """Return a picture under ``light`` (factors, height × width)."""
    # Light scales from black and from grey, which are not stored as 0.
    pixels = np.asarray(picture, dtype=np.float32) - _STORED_ZERO.astype(np.float32)
    lit = pixels * light[..., None].astype(np.float32) + _STORED_ZERO.astype(np.float32)
    return Image.fromarray(lit.round().clip(16, 240).astype(np.uint8), "YCbCr")


def shade(colour: Colour, factor: float) -> Colour:
    """Return a colour made darker (factor < 1) or lighter."""
    red, green, blue = colour
    return min(255, round(red * factor)), min(255, round(green * factor)), min(255, round(blue * factor))


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """Return ``first`` with ``share`` (0–1) of ``second`` mixed in."""
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue


# A video paints with a few dozen colours again and again.
@lru_cache(maxsize=4096)
def _stored_colour(colour: Colour) -> Colour:
    brightness, blue_difference, red_difference = (_TO_STORED @ np.array(colour) + _STORED_ZERO).round().astype(int)
    return int(brightness), int(blue_difference), int(red_difference)
