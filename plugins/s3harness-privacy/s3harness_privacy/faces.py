"""Finding faces with the cascades that OpenCV brings: nothing is fetched.

P. Viola and M. Jones, Rapid object detection using a boosted cascade of simple features, CVPR 2001. They are quick and
run anywhere, and miss faces that are turned, lying, covered or dark.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

HEIGHT = 288
"""Pictures are looked at no larger than this: a face of a tenth of it still has the 20 pixels that are needed."""

STEP = 1.15
"""From one size of faces that are looked for to the next."""

FRONTS = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt.xml")
PROFILE = "haarcascade_profileface.xml"
JUDGE = "haarcascade_frontalface_alt2.xml"

SMALLEST_SHARE = 0.09
"""Of the picture's height."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a face is, in pixels."""

    x: float
    y: float
    width: float
    height: float


def find_faces(picture: Picture) -> list[Box]:
    """The faces to hide, from the front, else from either side; rather one too many. ``picture`` is RGB, uint8."""
    grey, scale = _prepared(picture)
    found = next(filter(None, (_detect(front, grey, neighbours=2) for front in FRONTS)), [])
    if not found:
        found = _detect(PROFILE, grey, neighbours=2)
        width = grey.shape[1]
        flipped = _detect(PROFILE, np.ascontiguousarray(grey[:, ::-1]), neighbours=2)
        found += [(width - x - w, y, w, h) for x, y, w, h in flipped]
    return [Box(*(side * scale for side in box)) for box in found]


def sees_face(picture: Picture) -> bool:
    """Whether a detector of another training, that hides nothing, finds a face."""
    grey, _ = _prepared(picture)
    return bool(_detect(JUDGE, grey, neighbours=2))


def _prepared(picture: Picture) -> tuple[Picture, float]:
    """The picture in grey, its contrast spread, no larger than needed; and by how much that has to be scaled back."""
    scale = max(1.0, picture.shape[0] / HEIGHT)
    size = (max(1, round(picture.shape[1] / scale)), max(1, round(picture.shape[0] / scale)))
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.equalizeHist(grey), np.uint8), picture.shape[0] / size[1]


def _detect(cascade: str, grey: Picture, neighbours: int) -> list[tuple[float, float, float, float]]:
    smallest = max(20, round(SMALLEST_SHARE * grey.shape[0]))
    if min(grey.shape) < smallest:
        return []
    found = _cascade(cascade).detectMultiScale(grey, STEP, neighbours, minSize=(smallest, smallest))
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in found]


_of_thread = threading.local()


def _cascade(name: str) -> Any:
    """A cascade of this thread's own: one cannot look at two pictures at once."""
    known: dict[str, Any] = _of_thread.__dict__.setdefault("cascades", {})
    if name not in known:
        made = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
        if made.empty():
            raise RuntimeError(f"OpenCV {cv2.__version__} does not bring {name}; install opencv-python-headless 4")
        known[name] = made
    return known[name]
