"""The frames of a video, one after the other, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s3harness_synth.backdrop import Backdrop, Backdrops, Frame, colour_planes
from s3harness_synth.canvas import SUPERSAMPLING, Canvas
from s3harness_synth.figure import Joints, draw_figure
from s3harness_synth.palette import Palette, make_palette
from s3harness_synth.patient import Appearance
from s3harness_synth.primitives import Tracks
from s3harness_synth.setting import VideoSetting
from s3harness_synth.skeleton import HEAD_M, Points, body_points, make_camera

Box = tuple[int, int, int, int]

# Skin, hair and cloth reach beyond the joints, farthest at the head.
_MARGIN_M = 1.45 * HEAD_M
_EVEN = 4
"""Boxes begin and end on multiples of this, so that the planes of colour, half as fine, can be cut with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that one video is drawn from; ``joints`` are in pixels of the final picture, (frames, 3) each."""

    setting: VideoSetting
    appearance: Appearance
    palette: Palette
    tracks: Tracks
    joints: Points
    resolution: tuple[int, int]
    fps: int


def make_scene(
    tracks: Tracks, appearance: Appearance, setting: VideoSetting, resolution: tuple[int, int], fps: int
) -> Scene:
    """Place the body's movement before the camera; ``resolution`` is (width, height) in pixels."""
    camera = make_camera(setting, resolution)
    points = body_points(tracks, appearance, setting)
    joints = {name: camera.project(place) for name, place in points.items()}
    return Scene(
        setting=setting,
        appearance=appearance,
        palette=make_palette(appearance, setting),
        tracks=tracks,
        joints=joints,
        resolution=resolution,
        fps=fps,
    )


def render(scene: Scene) -> Iterator[Frame]:
    """Yield the frames as a perfect sensor would see them: yuv420p, uint8 of shape (1.5 × height, width)."""
    backdrops = Backdrops(scene.setting, scene.palette, scene.resolution)
    for index, box in enumerate(_bounding_boxes(scene)):
        yield _draw_frame(scene, index, box, backdrops.at(index / scene.fps))


def _draw_frame(scene: Scene, index: int, box: Box, backdrop: Backdrop) -> Frame:
    """Return the backdrop with the patient drawn into ``box`` (left, top, right, bottom)."""
    # Only the box around the patient is drawn and converted anew: the rest of the frame is the backdrop's.
    x0, y0, x1, y1 = box
    part = backdrop.picture.crop((SUPERSAMPLING * x0, SUPERSAMPLING * y0, SUPERSAMPLING * x1, SUPERSAMPLING * y1))
    pose = {name: float(track[index]) for name, track in scene.tracks.items()}
    joints = _local_joints(scene, index, (x0, y0))
    draw_figure(Canvas(part), joints, pose, scene.palette, scene.appearance, scene.setting.camera_yaw_deg)
    # A copy: many frames share one backdrop.
    frame = backdrop.frame.copy()
    brightness, *differences = part.split()
    frame[y0:y1, x0:x1] = np.asarray(brightness.reduce(SUPERSAMPLING))
    for plane, band in zip(colour_planes(frame), differences, strict=True):
        plane[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = np.asarray(band.reduce(2 * SUPERSAMPLING))
    return frame


def _local_joints(scene: Scene, index: int, corner: tuple[int, int]) -> Joints:
    """The joints in the pixels of the supersampled part of the picture that begins at ``corner``."""
    k, (x0, y0) = SUPERSAMPLING, corner
    rows = {name: track[index].tolist() for name, track in scene.joints.items()}
    return {name: (k * (x - x0), k * (y - y0), k * scale) for name, (x, y, scale) in rows.items()}


def _bounding_boxes(scene: Scene) -> list[Box]:
    """Boxes around the patient within the picture, one for each frame."""
    x, y, scale = (np.stack([track[:, k] for track in scene.joints.values()]) for k in range(3))
    margin = _MARGIN_M * scale.max(axis=0)
    width, height = scene.resolution
    left, right = _span(x, margin, width)
    top, bottom = _span(y, margin, height)
    return list(zip(left.tolist(), top.tolist(), right.tolist(), bottom.tolist(), strict=True))


def _span(
    places: NDArray[np.float64], margin: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    largest = size - size % _EVEN
    # A patient beyond the edge still gets a box of the smallest size: an empty one cannot be cut.
    low = np.floor((places.min(axis=0) - margin) / _EVEN).astype(np.int64) * _EVEN
    high = np.ceil((places.max(axis=0) + margin) / _EVEN).astype(np.int64) * _EVEN
    return low.clip(0, largest - _EVEN), high.clip(_EVEN, largest)
