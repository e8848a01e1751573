"""Draw the face: hair, brows, eyes with lids, nose, mouth and cheeks on a head that turns."""

from __future__ import annotations

from s3harness_synth.canvas import Canvas, Point, blend, shade
from s3harness_synth.head import Head, Outline, Pose
from s3harness_synth.palette import Palette
from s3harness_synth.patient import Appearance
from s3harness_synth.vocabulary import SIDES, BodySide

_EYE_LONGITUDE, _EYE_LATITUDE = 27.0, 4.0
_EYE_HALF_WIDTH, _EYE_UP, _EYE_DOWN = 15.0, 12.0, 9.0
_MOUTH_LATITUDE = -43.0
# The limit by which `observability` calls a cheek hidden: what is not drawn is occluded there.
_TURNED_AWAY = 0.12
_NEAR_SIDE = 0.1


def draw_head(canvas: Canvas, head: Head, pose: Pose, palette: Palette, appearance: Appearance) -> None:
    """Draw the head from back to front."""
    _draw_skull(canvas, head, palette, appearance)
    _draw_mouth(canvas, head, pose, palette)
    for side in SIDES:
        _draw_eye(canvas, head, pose, palette, side)
        _draw_cheek(canvas, head, pose, palette, side)
    # The nose stands out farthest, so that in a profile it covers the eye and the cheek behind it.
    _draw_nose(canvas, head, palette)


def _draw_skull(canvas: Canvas, head: Head, palette: Palette, appearance: Appearance) -> None:
    hair = palette.wrap if appearance.head_wrap else palette.hair
    if appearance.long_hair:
        for longitude in (-118, 118):
            if head.facing(longitude, 0) > _NEAR_SIDE:
                continue
            ends = head.at(longitude, 20), head.at(longitude, -38, 1.42)
            canvas.capsule(*ends, (head.radius * 0.38, head.radius * 0.28), palette.hair)
    canvas.polygon(head.trace(_SKULL), hair)
    canvas.disc(head.at(0, 90, 0.2), head.radius * 0.88, hair, 1.02)
    for longitude in (-88, 88):
        # An ear stands off the head and is still seen a little beyond its edge.
        if head.facing(longitude * 0.8, 0) > -0.3:
            canvas.disc(head.at(longitude, -2, 1.04), head.radius * 0.15, shade(palette.skin, 0.88), 1.5)
    canvas.polygon(head.trace(_FACE), palette.skin)
    canvas.polygon(head.trace(_JAW_SHADOW), shade(palette.skin, 0.9))
    if appearance.head_wrap:
        canvas.line(head.trace(_WRAP_EDGE), head.radius * 0.04, shade(palette.wrap, 0.8))


# Outlines are fixed and computed once: each frame only turns them.
_SKULL = Outline(
    [(-100, lat) for lat in range(-60, 90, 15)] + [(100, lat) for lat in range(75, -61, -15)],
    out=1.04,
)
_JAW = [(74, -35), (66, -50), (52, -62), (30, -76), (0, -80), (-30, -76), (-52, -62), (-66, -50), (-74, -35)]
_HAIRLINE = [(-66, 34), (-50, 44), (-20, 49), (20, 49), (50, 44), (66, 34)]
_FACE = Outline(
    [(-78, lat) for lat in range(-20, 21, 10)] + _HAIRLINE + [(78, lat) for lat in range(20, -21, -10)] + _JAW
)
_JAW_SHADOW = Outline([*_JAW, (-58, -50), (-46, -60), (-24, -69), (0, -72), (24, -69), (46, -60), (58, -50)])
_WRAP_EDGE = Outline(_HAIRLINE)


def _draw_eye(canvas: Canvas, head: Head, pose: Pose, palette: Palette, side: BodySide) -> None:
    sign = 1 if side == "left" else -1
    longitude = sign * _EYE_LONGITUDE
    if head.facing(longitude, _EYE_LATITUDE) < _TURNED_AWAY:
        return
    closed = min(1.0, pose[f"{side}_lid"])
    opening = max(0.0, 1 - closed)
    _draw_brow(canvas, head, pose, palette, sign)
    if opening > 0.12:
        _draw_eyeball(canvas, head, pose, palette, longitude, opening)
    upper = _lid_curve(head, longitude, _EYE_UP * opening - _EYE_DOWN * 0.55 * (1 - opening))
    lid = [head.at(longitude + u, _EYE_LATITUDE + 1.3 * _EYE_UP * v) for u, v in _LID_FOLD]
    canvas.polygon([*upper, *reversed(lid)], shade(palette.skin, 0.86))
    canvas.line(upper, head.radius * 0.07, palette.line if opening > 0.12 else shade(palette.line, 0.7))


_LID_FOLD = [(u * _EYE_HALF_WIDTH, 1 - u * u * 0.85) for u in (-1, -0.6, -0.2, 0.2, 0.6, 1)]


def _lid_curve(head: Head, longitude: float, height: float) -> list[Point]:
    """A lid's edge: an arc between the corners of the eye, ``height`` degrees high in its middle."""
    return [
        head.at(longitude + u * _EYE_HALF_WIDTH, _EYE_LATITUDE + height * (1 - u * u))
        for u in (-1, -0.6, -0.2, 0.2, 0.6, 1)
    ]


def _draw_eyeball(canvas: Canvas, head: Head, pose: Pose, palette: Palette, longitude: float, opening: float) -> None:
    upper = _lid_curve(head, longitude, _EYE_UP * opening)
    lower = _lid_curve(head, longitude, -_EYE_DOWN)
    canvas.polygon([*upper, *reversed(lower)], palette.white)
    centre = head.at(longitude + 8.5 * pose["gaze_x"], _EYE_LATITUDE + 1 + 4 * pose["gaze_y"])
    top = min(point[1] for point in upper)
    radius = head.radius * 0.118
    # Nothing clips at the outline of the eye, so the iris is flattened where the upper lid covers it.
    flat = min(1.0, max(0.3, (centre[1] - top) / radius))
    canvas.disc(centre, radius, palette.iris, flat)
    canvas.disc(centre, radius * 0.55, palette.pupil, flat)
    canvas.line(lower, head.radius * 0.03, shade(palette.skin, 0.7))


def _draw_brow(canvas: Canvas, head: Head, pose: Pose, palette: Palette, sign: int) -> None:
    inner, outer = 12 * pose["brow"], 3 * pose["brow"]
    height = _EYE_LATITUDE + 21
    points = [
        head.at(sign * 11, height - 2 + inner),
        head.at(sign * 27, height + 2 + 0.6 * inner),
        head.at(sign * 44, height - 3 + outer),
    ]
    canvas.line(points, head.radius * 0.085, blend(palette.hair, palette.line, 0.5))


def _draw_nose(canvas: Canvas, head: Head, palette: Palette) -> None:
    bridge, tip, base = head.at(0, 10, 1.0), head.at(0, -15, 1.27), head.at(0, -24, 1.02)
    right, left = (head.at(sign * 11, -19, 1.04) for sign in (-1, 1))
    light = shade(palette.skin, 1.05)
    canvas.polygon([bridge, right, base, left], light)
    canvas.polygon([bridge, tip, base], light)
    canvas.polygon([right, tip, left, base], shade(palette.skin, 0.7))
    canvas.line([bridge, tip], head.radius * 0.035, shade(palette.skin, 0.8))


def _draw_cheek(canvas: Canvas, head: Head, pose: Pose, palette: Palette, side: BodySide) -> None:
    """The fold from nose to mouth on a pulled side, and tears."""
    sign = 1 if side == "left" else -1
    if head.facing(sign * 30, -25) < _TURNED_AWAY:
        return
    pull = pose[f"{side}_mouth"]
    if pull > 0.25:
        fold = [head.at(sign * 16, -20), head.at(sign * (32 + 8 * pull), -28), head.at(sign * (38 + 8 * pull), -44)]
        canvas.line(fold, head.radius * 0.05 * pull, shade(palette.skin, 0.7))
    if pose["tears"] > 0.2:
        for step in (-10, -22, -34):
            canvas.disc(head.at(sign * (29 + 0.2 * step), step), head.radius * 0.05, palette.tear, 1.6)


def _draw_mouth(canvas: Canvas, head: Head, pose: Pose, palette: Palette) -> None:
    if head.facing(0, _MOUTH_LATITUDE) < 0.0:
        return
    upper, lower = _lips(pose, 1.0)
    outline = [head.at(u, v) for u, v in (*upper, *reversed(lower))]
    canvas.polygon(outline, palette.lip)
    upper, lower = _lips(pose, 0.0)
    inside = [head.at(u, v) for u, v in (*upper, *reversed(lower))]
    # Lips drawn back over a closed jaw show the teeth; an open mouth is dark inside.
    bared = pose["teeth"] > 0.3 and pose["jaw"] < 0.35
    canvas.polygon(inside, palette.white if bared else palette.mouth)
    if bared:
        middle = [head.at(0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])) for a, b in zip(upper, lower, strict=True)]
        canvas.line(middle, head.radius * 0.02, palette.line)


def _lips(pose: Pose, thick: float) -> tuple[list[Point], list[Point]]:
    """Upper and lower edge of the mouth as (longitude, latitude), from the right corner to the left one."""
    left, right = pose["left_mouth"], pose["right_mouth"]
    half = 20 - 9 * pose["purse"]
    corners = (
        (-half - 15 * max(right, 0), _MOUTH_LATITUDE + (12 if right > 0 else 20) * right),
        (half + 15 * max(left, 0), _MOUTH_LATITUDE + (12 if left > 0 else 20) * left),
    )
    gap = 1.2 + 5 * pose["teeth"] * max(left, right, 0.5) * (pose["teeth"] > 0.3)
    up = gap + thick * (3.0 + 4 * pose["purse"])
    down = gap + 20 * pose["jaw"] + thick * (4.0 + 4 * pose["purse"])
    upper, lower = [], []
    for step in range(9):
        share = step / 8
        longitude = corners[0][0] + share * (corners[1][0] - corners[0][0])
        level = corners[0][1] + share * (corners[1][1] - corners[0][1])
        arch = 4 * share * (1 - share)
        sag = -4 * arch * (max(left, 0) + max(right, 0)) * 0.5
        upper.append((longitude, level + up * arch + sag))
        lower.append((longitude, level - down * arch + sag))
    return upper, lower
