"""A video whose pictures say which one they are, and a data set of it.

Picture *i* has two halves of even brightness, of which the left tells *i* modulo 12 and the right *i* divided by 12,
so that it is known again after a codec, a change of size and the arithmetic of a processor.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS = 4
SECONDS = 66
STEP_LEFT, STEP_RIGHT, DARKEST = 18, 9, 20
SOUND_RATE = 24_000


def picture(number, width=96, height=64):
    pixels = np.full((height, width, 3), DARKEST + STEP_LEFT * (number % 12), np.uint8)
    pixels[:, width // 2 :] = DARKEST + STEP_RIGHT * (number // 12)
    return pixels


def number(left, right):
    """Which picture has halves of these mean brightnesses (0-255)."""
    return 12 * round((right - DARKEST) / STEP_RIGHT) + round((left - DARKEST) / STEP_LEFT)


def write_golden(path, *, seconds=SECONDS, size=(96, 64)):
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "6", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for i in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(picture(i, *size), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(seconds * SOUND_RATE) / SOUND_RATE).astype(np.float32)
        for first in range(0, len(tone), 1024):
            sound = av.AudioFrame.from_ndarray(tone[None, first : first + 1024].copy(), format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = SOUND_RATE, first, Fraction(1, SOUND_RATE)
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return path


def write_data(directory: Path) -> Path:
    (directory / "videos").mkdir(parents=True)
    write_golden(directory / "videos" / "v1.mp4")
    about = {"schema": "s3harness/dataset/v1", "name": "golden", "version": "1", "licence": "CC0-1.0"}
    (directory / "dataset.json").write_text(json.dumps(about))
    (directory / "videos.csv").write_text(
        "video_id,patient_id,file,diagnosis,split,duration_s,onset_s,offset_s,onset_body_part\n"
        f"v1,p1,videos/v1.mp4,ES,test,{SECONDS},20,50,head\n"
    )
    (directory / "features.csv").write_text(
        "video_id,feature,present,start_s,end_s,side,justification\n"
        "v1,head_turning,yes,24,30,left,the head turns to the left\n"
        "v1,ictal_vocalization,yes,25,28,,a cry\n"
        "v1,verbal_responsiveness,no,,,,nobody is answered\n"
    )
    (directory / "reports.csv").write_text("video_id,report\nv1,The head turns to the left.\n")
    return directory
