"""Draw a member of staff who stands beside the patient."""

from __future__ import annotations

from PIL import Image, ImageChops

from s3harness_synth.canvas import SUPERSAMPLING, Canvas, Point, blank, shade
from s3harness_synth.palette import Palette
from s3harness_synth.patient import Colour

# No palette has magenta, so that whatever differs from it is the figure.
_KEY: Colour = (255, 0, 255)
_SKIN_TONES = (0.75, 1.05, 0.9)
_BODY = ((0.06, 1.0), (0.08, 0.36), (0.14, 0.29), (0.27, 0.29), (0.32, 0.38), (0.33, 1.0))


def draw_bystander(palette: Palette, height: int, number: int) -> tuple[Image.Image, Image.Image]:
    """A standing figure for a picture of ``height`` pixels, supersampled, and its mask (mode L); faces image right.

    ``number`` chooses among a few complexions.
    """
    unit = height * SUPERSAMPLING
    canvas = Canvas(blank((round(0.42 * unit), round(0.98 * unit)), _KEY))
    skin = shade(palette.skin, _SKIN_TONES[number % len(_SKIN_TONES)])
    _draw(canvas, palette, skin, unit)
    empty = blank(canvas.picture.size, _KEY)
    bands = [
        band.point(lambda value: 255 if value else 0) for band in ImageChops.difference(canvas.picture, empty).split()
    ]
    # A pixel of the figure may share a band with the key, but not all three.
    return canvas.picture, ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])


def _draw(canvas: Canvas, palette: Palette, skin: Colour, unit: float) -> None:
    def at(x: float, y: float) -> Point:
        return x * unit, y * unit

    canvas.polygon([at(*corner) for corner in _BODY], palette.scrubs)
    canvas.capsule(at(0.2, 0.3), at(0.21, 0.2), at(0.035, 0.032), shade(skin, 0.85))
    canvas.disc(at(0.205, 0.15), 0.083 * unit, palette.hair, 1.22)
    canvas.disc(at(0.225, 0.162), 0.069 * unit, skin, 1.2)
    for eye in (0.215, 0.255):
        canvas.disc(at(eye, 0.15), 0.0085 * unit, palette.pupil)
    canvas.line([at(0.22, 0.205), at(0.252, 0.203)], 0.008 * unit, palette.lip)
    canvas.capsule(at(0.29, 0.37), at(0.33, 0.52), at(0.045, 0.036), shade(palette.scrubs, 0.85))
    canvas.capsule(at(0.33, 0.52), at(0.375, 0.6), at(0.028, 0.022), skin)
