"""Draw the still parts of the picture: the room, and the bed or chair in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from s3harness_synth.canvas import SUPERSAMPLING, Canvas, Point, blank, dimmed, shade
from s3harness_synth.envelope import Array
from s3harness_synth.palette import Palette
from s3harness_synth.patient import Colour
from s3harness_synth.setting import VideoSetting
from s3harness_synth.skeleton import Camera

_BED_HALF_WIDTH, _MATTRESS_Y, _BED_FOOT_Z = 0.47, -0.1, 1.12
_CHAIR_HALF_WIDTH, _SEAT_Y, _SEAT_EDGE_Z = 0.31, -0.11, 0.44
_UNDER_BACK_M = 0.1


def draw_room(setting: VideoSetting, palette: Palette, camera: Camera, resolution: tuple[int, int]) -> Image.Image:
    """Return the empty room at :data:`~s3harness_synth.canvas.SUPERSAMPLING` times ``resolution`` (width, height)."""
    size = resolution[0] * SUPERSAMPLING, resolution[1] * SUPERSAMPLING
    canvas = Canvas(blank(size, palette.wall))
    _draw_walls(canvas, setting, palette, size)
    stage = _Stage(canvas, camera)
    draw_furniture = _draw_bed if setting.furniture == "bed" else _draw_chair
    draw_furniture(stage, setting, palette)
    return dimmed(canvas.picture, _light(size, setting))


class _Stage:
    """Draw things that are given in metres."""

    def __init__(self, canvas: Canvas, camera: Camera) -> None:
        self._canvas, self._camera = canvas, camera
        self.unit = camera.scale * SUPERSAMPLING

    def pixel(self, point: Array) -> Point:
        x, y, _ = self._camera.project(point)
        return float(x) * SUPERSAMPLING, float(y) * SUPERSAMPLING

    def fill(self, corners: Sequence[Array], colour: Colour) -> None:
        self._canvas.polygon([self.pixel(corner) for corner in corners], colour)

    def bar(self, start: Array, end: Array, thickness_m: float, colour: Colour) -> None:
        radius = 0.5 * thickness_m * self.unit
        self._canvas.capsule(self.pixel(start), self.pixel(end), (radius, radius), colour)

    def flat(self, points: Sequence[Point], colour: Colour) -> None:
        self._canvas.polygon(points, colour)


def _draw_walls(canvas: Canvas, setting: VideoSetting, palette: Palette, size: tuple[int, int]) -> None:
    w, h = size
    floor = 0.62 * h if setting.furniture == "bed" else 0.7 * h
    canvas.polygon(_box(0, floor, w, h - floor), palette.floor)
    canvas.polygon(_box(0, floor - 0.02 * h, w, 0.02 * h), shade(palette.wall, 0.8))
    canvas.polygon(_box(0, 0.14 * h, w, 0.03 * h), shade(palette.wall, 0.9))
    # The camera faces the patient, whose right is on the left of the image.
    window_on_left = setting.window_side == "right"
    _draw_window(canvas, palette, (0.02 * w if window_on_left else 0.76 * w, 0.06 * h), (0.2 * w, 0.36 * h))
    _draw_monitor(canvas, palette, (0.78 * w if window_on_left else 0.08 * w, 0.2 * h), (0.13 * w, 0.15 * h))


def _draw_window(canvas: Canvas, palette: Palette, corner: Point, size: Point) -> None:
    (x, y), (w, h) = corner, size
    canvas.polygon(_box(x, y, w, h), shade(palette.wall, 1.12))
    canvas.polygon(_box(x + 0.05 * w, y + 0.05 * h, 0.9 * w, 0.9 * h), palette.glass)
    canvas.polygon(_box(x + 0.48 * w, y, 0.04 * w, h), shade(palette.wall, 1.12))
    for fold in range(5):
        colour = palette.curtain if fold % 2 else shade(palette.curtain, 0.88)
        canvas.polygon(_box(x - 0.08 * w + 0.07 * w * fold, y - 0.06 * h, 0.075 * w, 1.2 * h), colour)


def _draw_monitor(canvas: Canvas, palette: Palette, corner: Point, size: Point) -> None:
    (x, y), (w, h) = corner, size
    canvas.polygon(_box(x + 0.44 * w, y + h, 0.12 * w, 1.8 * h), palette.frame)
    canvas.polygon(_box(x, y, w, h), shade(palette.frame, 0.55))
    canvas.polygon(_box(x + 0.06 * w, y + 0.08 * h, 0.88 * w, 0.8 * h), shade(palette.frame, 0.3))
    for trace in (0.25, 0.45, 0.65):
        points = [(x + (0.1 + 0.08 * k) * w, y + (trace + 0.05 * (k % 3 - 1)) * h) for k in range(11)]
        canvas.line(points, 0.012 * h, shade(palette.curtain, 0.9))


def _draw_bed(stage: _Stage, setting: VideoSetting, palette: Palette) -> None:
    up, behind = _backrest(setting)
    side, drop = np.array([_BED_HALF_WIDTH, 0, 0]), np.array([0, -0.16, 0])
    crease, top = np.array([0, _MATTRESS_Y, -0.05]), up * 1.06 + behind
    foot, board = np.array([0, _MATTRESS_Y, _BED_FOOT_Z]), up * 1.16 + behind
    wide = 1.08 * side
    stage.fill([board - wide, board + wide, crease + wide, crease - wide], palette.frame)
    stage.fill([top - side, top + side, crease + side, crease - side], palette.sheet)
    stage.fill([crease - side, crease + side, foot + side, foot - side], shade(palette.sheet, 0.95))
    stage.fill([foot - side, foot + side, foot + side + drop, foot - side + drop], shade(palette.sheet, 0.8))
    for edge in (-1.05 * side, 1.05 * side):
        frame = [crease + edge, foot + edge, foot + edge + drop, crease + edge + drop]
        stage.fill(frame, shade(palette.frame, 0.85))
        _draw_rail(stage, crease + edge, foot + edge, shade(palette.frame, 1.2))
    _draw_pillow(stage, palette, up * 0.77 + behind)
    stage.bar(crease - side, crease + side, 0.012, shade(palette.sheet, 0.82))


def _draw_rail(stage: _Stage, start: Array, end: Array, colour: Colour) -> None:
    for height in (0.1, 0.22):
        lift = np.array([0, height, 0])
        stage.bar(start + lift, 0.45 * start + 0.55 * end + lift, 0.016, colour)


def _draw_pillow(stage: _Stage, palette: Palette, middle: Array) -> None:
    x, y = stage.pixel(middle)
    wide, high = 0.33 * stage.unit, 0.19 * stage.unit
    shape = ((-1, -0.8), (0, -1), (1, -0.8), (1.06, 0), (1, 0.8), (0, 1), (-1, 0.8), (-1.06, 0))
    shadow = 0.016 * stage.unit
    stage.flat([(x + u * wide + shadow, y + v * high + shadow) for u, v in shape], shade(palette.sheet, 0.75))
    stage.flat([(x + u * wide, y + v * high) for u, v in shape], palette.pillow)


def _draw_chair(stage: _Stage, setting: VideoSetting, palette: Palette) -> None:
    up, behind = _backrest(setting)
    side, floor = np.array([_CHAIR_HALF_WIDTH, 0, 0]), np.array([0, -0.5, 0])
    top = up * 0.98 + behind
    seat, edge = np.array([0, _SEAT_Y, -0.1]), np.array([0, _SEAT_Y, _SEAT_EDGE_Z])
    colour = shade(palette.curtain, 0.72)
    stage.fill([top - side, top + side, seat + 1.05 * side, seat - 1.05 * side], colour)
    stage.fill([seat - side, seat + side, edge + side, edge - side], shade(colour, 1.12))
    stage.fill([edge - side, edge + side, edge + side + 0.5 * floor, edge - side + 0.5 * floor], shade(colour, 0.8))
    rest = np.array([0, 0.19, 0])
    for arm in (-1.12 * side, 1.12 * side):
        panel = [seat + arm + rest, edge + arm + rest, edge + arm + floor * 0.6, seat + arm + floor * 0.6]
        stage.fill(panel, shade(colour, 0.7))
        stage.bar(seat + arm + rest, edge + arm + rest, 0.07, shade(palette.frame, 0.8))


def _backrest(setting: VideoSetting) -> tuple[Array, Array]:
    """The direction of the backrest, and the way from the body's middle to its surface."""
    angle = np.radians(setting.backrest_deg)
    front = np.array([0, np.cos(angle), np.sin(angle)])
    return np.array([0, np.sin(angle), -np.cos(angle)]), -_UNDER_BACK_M * front


def _light(size: tuple[int, int], setting: VideoSetting) -> Array:
    """Light that falls off towards the corners: the ceiling lamp's by day, the infrared lamp's by night."""
    width, height = size
    # An imaginary step is the number of points in numpy's mgrid.
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    depth = 0.6 if setting.infrared else 0.14
    return np.asarray(1 - depth * np.clip(x * x * 0.8 + y * y * 0.5, 0, 1.2))


def _box(x: float, y: float, w: float, h: float) -> list[Point]:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
