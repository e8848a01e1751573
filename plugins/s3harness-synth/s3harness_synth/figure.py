"""Draw the patient: trunk, legs, arms and hands around the head, from back to front."""

from __future__ import annotations

from collections.abc import Mapping
from math import atan2, cos, hypot, pi, sin

from s3harness_synth.canvas import SUPERSAMPLING, Canvas, Point, shade
from s3harness_synth.face import draw_head
from s3harness_synth.head import Pose, place_head
from s3harness_synth.palette import Palette
from s3harness_synth.patient import Appearance, Colour
from s3harness_synth.vocabulary import SIDES, BodySide

Joint = tuple[float, float, float]
"""x and y in pixels, and pixels per metre there."""

Joints = Mapping[str, Joint]

_SHADED = 0.8


def draw_figure(
    canvas: Canvas, joints: Joints, pose: Pose, palette: Palette, appearance: Appearance, camera_yaw_deg: float
) -> None:
    """Draw the whole patient at one frame."""
    _draw_neck(canvas, joints, palette)
    _draw_trunk(canvas, joints, pose, palette, appearance)
    x, y, scale = joints["head"]
    # An arm farther from the camera than the head is drawn before it, so that the head covers the arm.
    raised = [side for side in SIDES if joints[f"{side}_wrist"][2] < joints["head"][2]]
    for side in raised:
        _draw_arm(canvas, joints, pose, palette, side)
    head = place_head(pose, (x, y), scale, camera_yaw_deg)
    draw_head(canvas, head, pose, palette, appearance)
    for side in SIDES:
        # The camera stands at the foot of the bed, so the legs are nearer to it than the head.
        _draw_leg(canvas, joints, palette, appearance, side)
    _draw_hips(canvas, joints, palette, appearance)
    for side in sorted((s for s in SIDES if s not in raised), key=lambda s: joints[f"{s}_wrist"][2]):
        _draw_arm(canvas, joints, pose, palette, side)


def _draw_neck(canvas: Canvas, joints: Joints, palette: Palette) -> None:
    width = 0.062 * joints["neck"][2]
    canvas.capsule(_at(joints["chest"]), _at(joints["head"]), (width * 1.1, width), shade(palette.skin, _SHADED))


def _draw_trunk(canvas: Canvas, joints: Joints, pose: Pose, palette: Palette, appearance: Appearance) -> None:
    outline = _trunk_outline(joints, pose, appearance)
    canvas.polygon(outline, palette.shirt)
    if palette.pattern != palette.shirt:
        _draw_stripes(canvas, outline, palette.pattern)
    neck, scale = joints["neck"], joints["neck"][2]
    canvas.disc((neck[0], neck[1] + 0.035 * scale), 0.072 * scale, shade(palette.skin, 0.92), 0.75)
    canvas.line(
        [_mix(joints["chest"], joints["pelvis"], 0.3), _mix(joints["chest"], joints["pelvis"], 0.85)],
        0.008 * scale,
        shade(palette.shirt, _SHADED),
    )


def _trunk_outline(joints: Joints, pose: Pose, appearance: Appearance) -> list[Point]:
    """Right hip, right flank, shoulders, left flank, left hip."""
    girth = appearance.girth * (1 + 0.012 * pose["breath"])
    outline: list[Point] = []
    for side, order in (("right", 1), ("left", -1)):
        shoulder, hip = joints[f"{side}_shoulder"], joints[f"{side}_hip"]
        pelvis, chest, neck = joints["pelvis"], joints["chest"], joints["neck"]
        waist = _mix(_mix(shoulder, hip, 0.62), _mix(chest, pelvis, 0.62), 0.16 / girth)
        top = (shoulder[0], shoulder[1] - 0.055 * shoulder[2])
        out = 1 if shoulder[0] > chest[0] else -1
        cap = (shoulder[0] + out * 0.035 * shoulder[2], shoulder[1] - 0.01 * shoulder[2])
        collar = (neck[0] + 0.55 * (top[0] - neck[0]), neck[1] + 0.3 * (top[1] - neck[1]) - 0.005 * neck[2])
        flank = [(hip[0] + out * 0.055 * girth * hip[2], hip[1] + 0.03 * hip[2]), waist, cap, top, collar]
        outline += flank[::order]
    return outline


def _draw_stripes(canvas: Canvas, outline: list[Point], colour: Colour) -> None:
    """Stripes across the shirt, between its two flanks."""
    # The outline runs down the left flank; reversed, both flanks begin at the hip.
    right, left = outline[:3], outline[:6:-1]
    for share in (0.25, 0.45, 0.65, 0.85):
        first, last = _along(right, share), _along(left, share)
        # One pixel of the final picture at least, or a narrow stripe would flicker.
        canvas.line([first, last], 0.014 * abs(last[0] - first[0]) + SUPERSAMPLING, colour)


def _along(points: list[Point], share: float) -> Point:
    place = share * (len(points) - 1)
    index = min(int(place), len(points) - 2)
    return _mix((*points[index], 0), (*points[index + 1], 0), place - index)


def _draw_hips(canvas: Canvas, joints: Joints, palette: Palette, appearance: Appearance) -> None:
    """The lap and the hem of the shirt over it, so that the pelvis can be seen to move."""
    left, right, pelvis = joints["left_hip"], joints["right_hip"], joints["pelvis"]
    width = 0.085 * appearance.girth * pelvis[2]
    canvas.capsule(_at(right), _at(left), (width, width), palette.trousers)
    hem = [
        (right[0] - width, right[1]),
        (right[0] - width * 0.9, right[1] - 0.12 * pelvis[2]),
        (left[0] + width * 0.9, left[1] - 0.12 * pelvis[2]),
        (left[0] + width, left[1]),
        (pelvis[0], pelvis[1] + 0.02 * pelvis[2]),
    ]
    canvas.polygon(hem, shade(palette.shirt, 0.93))
    canvas.line([hem[0], hem[4], hem[3]], 0.012 * pelvis[2], shade(palette.shirt, 0.7))


def _draw_leg(canvas: Canvas, joints: Joints, palette: Palette, appearance: Appearance, side: BodySide) -> None:
    hip, knee, ankle, toe = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "toe"))
    girth = appearance.girth
    _segment(canvas, knee, ankle, (0.062 * girth, 0.045), palette.trousers)
    _segment(canvas, ankle, toe, (0.048, 0.036), palette.sock)
    # The thigh last: a bent knee points at the camera and hides the shank behind it.
    _segment(canvas, hip, knee, (0.088 * girth, 0.066 * girth), palette.trousers)
    canvas.disc((knee[0], knee[1] - 0.012 * knee[2]), 0.04 * knee[2], shade(palette.trousers, 1.1), 0.8)


def _draw_arm(canvas: Canvas, joints: Joints, pose: Pose, palette: Palette, side: BodySide) -> None:
    shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    sleeve = _mix(shoulder, elbow, 0.72)
    _segment(canvas, shoulder, elbow, (0.052, 0.043), palette.skin)
    _segment(canvas, elbow, wrist, (0.043, 0.031), palette.skin)
    _segment(canvas, shoulder, (*sleeve, elbow[2]), (0.066, 0.06), shade(palette.shirt, 0.96))
    _draw_hand(canvas, wrist, joints[f"{side}_finger"], pose[f"{side}_grip"], palette, side)


def _segment(canvas: Canvas, start: Joint, end: Joint, radii: Point, colour: Colour) -> None:
    """A limb with an edge in shade on its lower right."""
    ra, rb = radii[0] * start[2], radii[1] * end[2]
    canvas.capsule(_at(start), _at(end), (ra, rb), shade(colour, 0.72))
    off = 0.13
    light = [(x - off * r, y - off * r) for (x, y), r in ((_at(start), ra), (_at(end), rb))]
    canvas.capsule(light[0], light[1], (ra * 0.86, rb * 0.86), colour)


def _draw_hand(canvas: Canvas, wrist: Joint, finger: Joint, grip: float, palette: Palette, side: BodySide) -> None:
    scale = wrist[2]
    dx, dy = finger[0] - wrist[0], finger[1] - wrist[1]
    # A hand that points at the camera has no length in the picture, but still a palm.
    reach = max(hypot(dx, dy), 0.045 * scale)
    # The direction of less than a pixel is noise, and the fingers would spin.
    angle = atan2(dy, dx) if hypot(dx, dy) > 1 else pi / 2
    palm = (wrist[0] + 0.55 * reach * cos(angle), wrist[1] + 0.55 * reach * sin(angle))
    line = shade(palette.skin, 0.62)
    thumb = 1 if side == "left" else -1
    for number in range(4):
        spread = angle + (number - 1.5) * 0.26 * (1.15 - grip)
        length = (0.085 * (1 - grip) + 0.028) * scale
        root = (
            palm[0] + 0.022 * (number - 1.5) * scale * -sin(angle),
            palm[1] + 0.022 * (number - 1.5) * scale * cos(angle),
        )
        tip = (root[0] + length * cos(spread), root[1] + length * sin(spread))
        # Each finger is drawn darker and wider first: this edge keeps it apart from the next one.
        canvas.capsule(root, tip, (0.0175 * scale, 0.0155 * scale), line)
        canvas.capsule(root, tip, (0.0135 * scale, 0.0115 * scale), palette.skin)
    canvas.disc(palm, 0.046 * scale, shade(palette.skin, 0.75))
    canvas.disc((palm[0] - 0.005 * scale, palm[1] - 0.005 * scale), 0.041 * scale, palette.skin)
    aside = angle - thumb * (1.1 - 0.5 * grip)
    tip = (palm[0] + 0.07 * scale * cos(aside), palm[1] + 0.07 * scale * sin(aside))
    canvas.capsule(palm, tip, (0.018 * scale, 0.014 * scale), shade(palette.skin, 0.9))


def _at(joint: Joint) -> Point:
    return joint[0], joint[1]


def _mix(first: tuple[float, ...], second: tuple[float, ...], share: float) -> Point:
    return first[0] + share * (second[0] - first[0]), first[1] + share * (second[1] - first[1])
