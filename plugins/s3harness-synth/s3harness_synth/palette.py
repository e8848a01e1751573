"""The colours of a video, by day or as an infrared camera sees them."""

from __future__ import annotations

from dataclasses import dataclass

from s3harness_synth.canvas import blend, shade
from s3harness_synth.patient import Appearance, Colour
from s3harness_synth.setting import VideoSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours as the camera records them."""

    skin: Colour
    hair: Colour
    shirt: Colour
    pattern: Colour
    trousers: Colour
    sock: Colour
    white: Colour
    iris: Colour
    pupil: Colour
    lip: Colour
    mouth: Colour
    line: Colour
    tear: Colour
    wrap: Colour
    wall: Colour
    floor: Colour
    sheet: Colour
    frame: Colour
    pillow: Colour
    glass: Colour
    curtain: Colour
    scrubs: Colour


def make_palette(appearance: Appearance, setting: VideoSetting) -> Palette:
    """Return the colours of a patient in a setting."""
    skin, shirt = appearance.skin, appearance.shirt
    colours: dict[str, Colour] = {
        "skin": skin,
        "hair": appearance.hair,
        "shirt": shirt,
        "pattern": shade(shirt, 0.8) if appearance.patterned else shirt,
        "trousers": appearance.trousers,
        "sock": (214, 214, 208),
        "white": (246, 246, 242),
        "iris": (88, 66, 48),
        "pupil": (18, 16, 18),
        "lip": blend(skin, (176, 70, 76), 0.55),
        "mouth": (70, 22, 28),
        "line": blend(skin, (40, 22, 18), 0.72),
        "tear": (120, 190, 240),
        "wrap": (238, 236, 230),
        "wall": setting.wall,
        "floor": (150, 142, 132),
        "sheet": (222, 226, 232),
        "frame": (120, 126, 134),
        "pillow": (244, 245, 247),
        "glass": (188, 214, 236),
        "curtain": (156, 176, 170),
        "scrubs": (64, 132, 134),
    }
    record = _infrared if setting.infrared else shade
    return Palette(**{name: record(colour, setting.brightness) for name, colour in colours.items()})


def _infrared(colour: Colour, brightness: float) -> Colour:
    """Near-infrared light: no colour, pale skin and cloth, less contrast in the dark."""
    red, green, blue = colour
    grey = (0.5 * red + 0.35 * green + 0.15 * blue) * 0.74 * brightness
    return round(grey * 0.97), round(min(255, grey * 1.02)), round(grey)
