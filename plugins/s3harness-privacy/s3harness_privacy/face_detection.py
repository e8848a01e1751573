"""Face detection by the cascades that OpenCV 4 brings; nothing is downloaded.

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

MAX_HEIGHT = 288
"""Larger pictures are scaled down to it: a face of a tenth of it still has the 20 pixels that a cascade needs."""

SCALE_STEP = 1.15
"""The factor between two sizes of faces that are searched for."""

FRONTAL_CASCADES = ("haarcascade_frontalface_default.xml", "haarcascade_frontalface_alt.xml")
PROFILE_CASCADE = "haarcascade_profileface.xml"
EVALUATION_CASCADE = "haarcascade_frontalface_alt2.xml"

MIN_NEIGHBOURS = 2
"""Overlapping detections that make a face. OpenCV's default is 3; a missed face costs more here than a false one."""

MIN_FACE_SHARE = 0.09
"""The height of the smallest faces, as a share of the picture's."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """The bounding box of a face, in pixels."""

    x: float
    y: float
    width: float
    height: float


def find_faces(picture: Picture) -> list[FaceBox]:
    """The faces to hide, frontal ones or else profiles; rather one too many. ``picture`` is RGB, uint8."""
    grey, scale = _prepared(picture)
    boxes = next(filter(None, (_detect(cascade, grey) for cascade in FRONTAL_CASCADES)), [])
    if not boxes:
        boxes = _detect(PROFILE_CASCADE, grey)
        # The cascade was trained on profiles that face one side: the other is found in the mirrored picture.
        width = grey.shape[1]
        mirrored = _detect(PROFILE_CASCADE, np.ascontiguousarray(grey[:, ::-1]))
        boxes += [(width - x - w, y, w, h) for x, y, w, h in mirrored]
    return [FaceBox(*(side * scale for side in box)) for box in boxes]


def has_face(picture: Picture) -> bool:
    """True if the evaluation cascade detects a face; ``picture`` is RGB, uint8."""
    # Another cascade than those that hide faces: what they do not detect they would not detect afterwards either.
    grey, _ = _prepared(picture)
    return bool(_detect(EVALUATION_CASCADE, grey))


def _prepared(picture: Picture) -> tuple[Picture, float]:
    """The picture in grey, its histogram equalised and scaled down; and the factor that scales boxes back."""
    scale = max(1.0, picture.shape[0] / MAX_HEIGHT)
    size = (max(1, round(picture.shape[1] / scale)), max(1, round(picture.shape[0] / scale)))
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    # Equalised, because cascades miss faces in pictures of little contrast, such as those of a dark room.
    return np.asarray(cv2.equalizeHist(grey), np.uint8), picture.shape[0] / size[1]


def _detect(cascade: str, grey: Picture) -> list[tuple[float, float, float, float]]:
    """Boxes (x, y, width, height) that a cascade detects."""
    smallest = max(20, round(MIN_FACE_SHARE * grey.shape[0]))
    if min(grey.shape) < smallest:
        return []
    boxes = _cascade(cascade).detectMultiScale(grey, SCALE_STEP, MIN_NEIGHBOURS, minSize=(smallest, smallest))
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in boxes]


_thread_local = threading.local()


def _cascade(name: str) -> Any:
    """A cascade of this thread's own, loaded once."""
    # Clips are transformed by several threads, and a CascadeClassifier keeps the state of a detection in itself.
    cascades: dict[str, Any] = _thread_local.__dict__.setdefault("cascades", {})
    if name not in cascades:
        cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
        # OpenCV reports a missing file by an empty classifier, which would detect no face at all.
        if cascade.empty():
            raise RuntimeError(f"OpenCV {cv2.__version__} does not bring {name}; install opencv-python-headless 4")
        cascades[name] = cascade
    return cascades[name]
