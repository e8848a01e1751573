"""A small right data set, written by hand, and a way to plant something wrong in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np

SECONDS = 4
VIDEOS = """\
video_id,patient_id,file,diagnosis,split,duration_s,onset_s,offset_s,onset_body_part,camera
v0001,p1,videos/v0001.mp4,ES,train,4,0.5,3,left arm,ceiling
v0002,p1,videos/v0002.mp4,ES,train,4,1,3.5,head,"wall, ""north"" side"
v0003,p2,videos/v0003.mp4,NES,test,4,,,,
v0004,p3,,,test,60,10,50,full body,
"""
FEATURES = """\
video_id,feature,present,start_s,end_s,side,justification
v0001,tonic,yes,1,2.5,left,"The arm, stiff"
v0001,clonic,no,,,,
v0002,head_turning,yes,1,2,right,
v0002,arm_movement,yes,0,1,both,
v0003,verbal_responsiveness,untested,,,,
"""
REPORTS = """\
video_id,report
v0001,"The left arm stiffens,
then it relaxes."
v0002,The head turns.
"""


def encode(path: Path, seconds: int = SECONDS, fps: int = 5) -> None:
    """A grey video that flickers."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for n in range(seconds * fps):
            pixels = np.full((32, 32, 3), 100 + n % 50, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode(None))


def make(folder: Path, video: Path) -> Path:
    """The data set, each of its videos a copy of one file."""
    (folder / "videos").mkdir(parents=True)
    for number in (1, 2, 3):
        shutil.copy(video, folder / "videos" / f"v000{number}.mp4")
    about = {"schema": "s3harness/dataset/v1", "name": "small", "version": "1", "licence": "none"}
    (folder / "dataset.json").write_text(json.dumps(about))
    (folder / "videos.csv").write_text(VIDEOS)
    (folder / "features.csv").write_text(FEATURES)
    (folder / "reports.csv").write_text(REPORTS)
    return folder


def plant(data: Path, file: str, old: str, new: str) -> None:
    """Replace a piece of a table."""
    text = (data / file).read_text(encoding="utf-8")
    assert old in text
    (data / file).write_text(text.replace(old, new, 1), encoding="utf-8")
