"""A data set of made-up annotations, without a video file, and what is built from it."""

from __future__ import annotations

import json
from pathlib import Path

from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, write_table
from s3harness.testing.cases import made_up_videos

NAME = "doe-jane-2019"


def write_dataset(folder: Path, *, videos: int = 18, patients: int = 9, seed: int = 3, diagnosis: str = "") -> Path:
    """A data set directory; every file and patient has a telling name, which nothing made of it may hold."""
    folder.mkdir(parents=True)
    made = made_up_videos(videos, patients=patients, seed=seed)
    about = {"schema": "s3harness/dataset/v1", "name": "made up", "version": "1", "licence": "CC0-1.0"}
    (folder / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    write_table(
        folder / "videos.csv",
        VIDEOS,
        [
            {
                "video_id": v.id,
                "patient_id": f"{NAME}-{v.patient}",
                "file": f"videos/{NAME}-{v.id}.mp4",
                "diagnosis": diagnosis or v.diagnosis,
                "split": "train" if int(v.patient[1:]) % 3 else "test",
                "duration_s": v.duration_s,
                "onset_s": v.onset_s,
                "offset_s": v.offset_s,
                "onset_body_part": v.onset_body_part,
            }
            for v in made
        ],
    )
    write_table(
        folder / "features.csv",
        FEATURES,
        [
            {
                "video_id": v.id,
                "feature": name,
                "present": label.present,
                "start_s": "" if label.start_s is None else label.start_s,
                "end_s": "" if label.end_s is None else label.end_s,
                "side": label.side or "",
                "justification": label.justification,
            }
            for v in made
            for name, label in v.features.items()
        ],
    )
    write_table(folder / "reports.csv", REPORTS, [{"video_id": v.id, "report": v.report} for v in made])
    return folder
