"""The head as a sphere that turns: maps the longitudes and latitudes of the face to the picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin

import numpy as np

from s3harness_synth.canvas import Point
from s3harness_synth.skeleton import HEAD_M

Pose = dict[str, float]
"""The value of each channel at one frame."""

# Of half the height: a head is narrower than it is high, and nearly as deep.
_WIDTH, _DEPTH = 0.8, 0.92
_JAW_TAPER = 0.12


class Outline:
    """A fixed line on the head: (longitude, latitude) in degrees, ``out`` times the head's radius from its centre."""

    def __init__(self, points: Sequence[tuple[float, float]], out: float = 1.0) -> None:
        lon, lat = np.radians(np.array(points, dtype=np.float64)).T
        below = np.maximum(0.0, -np.sin(lat))
        self.x = out * _WIDTH * np.cos(lat) * np.sin(lon) * (1 - _JAW_TAPER * below)
        self.y = out * np.sin(lat)
        self.z = out * _DEPTH * np.cos(lat) * np.cos(lon)
        self.chin = below**2
        self.out = out


class Head:
    """A head at (``x``, ``y``) pixels with a ``radius`` in pixels, turned by angles in radians.

    ``yaw`` and ``roll`` are positive towards the patient's left, ``pitch`` upwards; ``chin`` lengthens the lower face
    by a share of the radius.
    """

    def __init__(self, centre: Point, radius: float, *, yaw: float, pitch: float, roll: float, chin: float) -> None:
        self.x, self.y = centre
        self.radius = radius
        self._chin = chin
        self._yaw, self._pitch, self._roll = ((cos(a), sin(a)) for a in (yaw, pitch, roll))

    def at(self, longitude: float, latitude: float, out: float = 1.0) -> Point:
        """Return a point of the face, in degrees to the patient's left and up; ``out`` 1 is on its surface."""
        x, y, _ = self._turned(longitude, latitude, out)
        (c, s), r = self._roll, self.radius
        return self.x + r * (x * c + y * s), self.y - r * (y * c - x * s)

    def facing(self, longitude: float, latitude: float) -> float:
        """Return the degree to which a point faces the camera: 1 straight at it, below 0 away from it."""
        return self._turned(longitude, latitude, 1.0)[2] / _DEPTH

    def trace(self, outline: Outline) -> list[Point]:
        """Return an outline in the picture; the part behind the head is moved to the head's edge."""
        (cy, sy), (cp, sp), (cr, sr) = self._yaw, self._pitch, self._roll
        y0 = outline.y - self._chin * outline.chin
        x, z = outline.x * cy + outline.z * sy, outline.z * cy - outline.x * sy
        y, z = y0 * cp + z * sp, z * cp - y0 * sp
        rim = outline.out / np.maximum(np.hypot(x / _WIDTH, y), 1e-6)
        # Without this a face that turns away would be drawn through the back of the head.
        pushed = np.where(z < 0, rim, 1.0)
        x, y = x * pushed, y * pushed
        place = (self.x + self.radius * (x * cr + y * sr), self.y - self.radius * (y * cr - x * sr))
        return list(zip(place[0].tolist(), place[1].tolist(), strict=True))

    def _turned(self, longitude: float, latitude: float, out: float) -> tuple[float, float, float]:
        lon, lat = radians(longitude), radians(latitude)
        flat, high = cos(lat), sin(lat)
        below = max(0.0, -high)
        x = out * _WIDTH * flat * sin(lon) * (1 - _JAW_TAPER * below)
        y, z = out * high - self._chin * below * below, out * _DEPTH * flat * cos(lon)
        (cy, sy), (cp, sp) = self._yaw, self._pitch
        x, z = x * cy + z * sy, z * cy - x * sy
        return x, y * cp + z * sp, z * cp - y * sp


def place_head(pose: Pose, centre: Point, scale: float, camera_yaw_deg: float) -> Head:
    """Return the head of a pose with its centre at ``centre``, at ``scale`` pixels per metre."""
    return Head(
        centre,
        HEAD_M * scale,
        # A camera that stands aside sees a straight head turned the other way.
        yaw=radians(pose["head_yaw"] - camera_yaw_deg),
        pitch=radians(0.8 * pose["head_pitch"] + 2),
        # The head follows a leaning trunk half of the way; the neck takes the rest.
        roll=radians(pose["head_roll"] + 0.5 * pose["trunk_lean"]),
        chin=0.05 + 0.18 * pose["jaw"],
    )
