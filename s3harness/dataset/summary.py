"""Summary of a data set in numbers."""

from __future__ import annotations

from collections import Counter
from statistics import median

from s3harness.dataset.load import Dataset
from s3harness.specs.features import vocabulary


def summary(dataset: Dataset) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Return the totals, and a row per feature: the numbers of videos with yes, no and untested."""
    videos = dataset.videos
    minutes = sum(video.duration_s or 0.0 for video in videos) / 60
    splits = Counter(video.split or "none" for video in videos)
    diagnoses = Counter(video.diagnosis or "unknown" for video in videos)
    about: dict[str, object] = {
        "name": dataset.name,
        "version": dataset.version,
        "licence": dataset.licence,
        "fingerprint": dataset.fingerprint[:16],
        "videos": len(videos),
        "with a video file": sum(video.path is not None and video.path.is_file() for video in videos),
        "patients": len({video.patient for video in videos}),
        "minutes": round(minutes, 1),
        "diagnoses": ", ".join(f"{name} {n}" for name, n in sorted(diagnoses.items())),
        "splits": ", ".join(f"{name} {n}" for name, n in sorted(splits.items())),
        "reports": sum(bool(video.report) for video in videos),
    }
    return about, [_feature_row(dataset, name) for name in vocabulary().names]


def _feature_row(dataset: Dataset, name: str) -> dict[str, object]:
    labels = [video.features[name] for video in dataset.videos if name in video.features]
    present = Counter(label.present for label in labels)
    shown = [label for label in labels if label.present == "yes"]
    lengths = [x.end_s - x.start_s for x in shown if x.start_s is not None and x.end_s is not None]
    return {
        "feature": name,
        "yes": present["yes"],
        "no": present["no"],
        "untested": present["untested"],
        "median seconds": round(median(lengths), 1) if lengths else "",
        "left": sum(label.side == "left" for label in shown),
        "right": sum(label.side == "right" for label in shown),
    }
