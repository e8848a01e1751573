"""What the benchmark is about: clips of a moving figure in a noisy room, as a data set and as rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import av
import numpy as np

from s3harness.specs.features import vocabulary

CARD = """
schema: s3harness/model/v1
name: stub
title: The stub
weights: null
family: stub
modalities: [video, audio]
protocols:
  strict:
    samplers: {{sliding_windows: {{window_s: {seconds}, frames: {pictures}}}}}
    audio: false
"""


def make_material(folder: Path, *, videos: int, seconds: int, prompts: int, pictures: int) -> None:
    """Write ``data/`` (a data set), ``rows.jsonl`` (a video and a prompt each) and ``stub.yaml`` (a model card)."""
    data = folder / "data"
    (data / "videos").mkdir(parents=True)
    ids = [f"v{number:04d}" for number in range(videos)]
    for number, name in enumerate(ids):
        _film(data / "videos" / f"{name}.mp4", number, seconds)
    signs = list(vocabulary().names)[:prompts]
    about = {"schema": "s3harness/dataset/v1", "name": "overhead", "version": "1", "licence": "CC0-1.0"}
    (data / "dataset.json").write_text(json.dumps(about))
    _table(data / "videos.csv", [_video(name, number, seconds) for number, name in enumerate(ids)])
    marks = [{"video_id": v, "feature": s, "present": ("yes", "no")[i % 2]} for i, v in enumerate(ids) for s in signs]
    _table(
        data / "features.csv", [{**mark, "start_s": "", "end_s": "", "side": "", "justification": ""} for mark in marks]
    )
    _table(data / "reports.csv", [{"video_id": name, "report": "Nothing."} for name in ids])
    rows = [
        {"video": str(data / "videos" / f"{v}.mp4"), "prompt": f"Is there {s}? Say yes or no.", "answer": "yes"}
        for v in ids
        for s in signs
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "stub.yaml").write_text(CARD.format(seconds=seconds, pictures=pictures))


def _video(name: str, number: int, seconds: int) -> dict[str, object]:
    return {
        "video_id": name,
        "patient_id": f"p{number}",
        "file": f"videos/{name}.mp4",
        "diagnosis": ("ES", "NES")[number % 2],
        "split": "test",
        "duration_s": seconds,
        "onset_s": 1,
        "offset_s": seconds - 1,
        "onset_body_part": "head",
    }


def _table(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _film(path: Path, seed: int, seconds: int, size: tuple[int, int] = (640, 360), fps: int = 30) -> None:
    """H.264 with sensor noise, so that it costs about what clinical video costs to decode, and AAC."""
    width, height = size
    random = np.random.default_rng(seed)
    room = random.integers(30, 200, (height // 8, width // 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    noise = np.zeros((height, width, 1), np.uint8)
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            "libx264", rate=fps, options={"preset": "veryfast", "crf": "23", "g": str(fps * 4)}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(seconds * fps):
            at = number / fps
            picture = room.copy()
            x = int(width / 2 + width / 5 * np.sin(at * 2 * np.pi * (0.3 + seed * 0.1)))
            y = int(height / 2 + height / 6 * np.cos(at * 3))
            picture[max(0, y - height // 6) : y + height // 6, max(0, x - width // 10) : x + width // 10] = (
                200,
                160,
                140,
            )
            noise = random.integers(0, 12, (height, width, 1), dtype=np.uint8) if number % 3 == 0 else noise
            picture = np.clip(picture.astype(np.int16) + noise, 0, 255).astype(np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        tone = (np.sin(np.arange(seconds * 16_000) / 16_000 * 2 * np.pi * 220) * 8000).astype(np.int16)
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            frame.rate, frame.pts = 16_000, start
            container.mux(sound.encode(frame))
        container.mux(video.encode())
        container.mux(sound.encode())
