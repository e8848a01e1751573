"""Write the tables of a data set directory: UTF-8, LF, commas, one header row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from s3harness_synth.observability import observe
from s3harness_synth.production import Format, Take
from s3harness_synth.truth import feature_labels, onset_body_part

SCHEMA = "s3harness/dataset/v1"
VERSION = "1"
LICENCE = "CC0-1.0"

_VIDEO_COLUMNS = (
    *("video_id", "patient_id", "file", "diagnosis", "split", "duration_s", "onset_s", "offset_s", "onset_body_part"),
    *("archetype", "fps", "width", "height", "audio"),
)
_FEATURE_COLUMNS = (
    *("video_id", "feature", "present", "start_s", "end_s", "side", "justification"),
    *("occluded", "below_resolution", "undersampled", "size_px", "needs_fps"),
)


def write_tables(folder: Path, takes: Sequence[Take], form: Format) -> None:
    """Write ``videos.csv``, ``features.csv`` and ``reports.csv``."""
    write_csv(folder / "videos.csv", _VIDEO_COLUMNS, (_video_row(take, form) for take in takes))
    write_csv(folder / "features.csv", _FEATURE_COLUMNS, (row for take in takes for row in _feature_rows(take, form)))
    write_csv(folder / "reports.csv", ("video_id", "report"), ((take.video_id, take.report) for take in takes))


def write_card(folder: Path, name: str) -> None:
    """Write ``dataset.json``, which makes the directory a data set: to be called last."""
    card = {"schema": SCHEMA, "name": name, "version": VERSION, "licence": LICENCE}
    (folder / "dataset.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8", newline="\n")


def video_file(take: Take) -> str:
    """Return the path of a video, relative to the data set directory."""
    return f"videos/{take.video_id}.mp4"


def _video_row(take: Take, form: Format) -> tuple[object, ...]:
    script = take.script
    onset, offset = script.interval
    # The length of the file, which holds whole frames.
    frames = round(script.duration_s * form.fps)
    return (
        *(take.video_id, take.patient.id, video_file(take), script.diagnosis, take.split),
        *(_seconds(frames / form.fps), _seconds(onset), _seconds(offset), onset_body_part(script)),
        *(script.archetype, form.fps, *form.resolution, "yes" if form.audio else "no"),
    )


def _feature_rows(take: Take, form: Format) -> Iterable[tuple[object, ...]]:
    for feature, label in feature_labels(take.script).items():
        start, end = _seconds(label.start_s), _seconds(label.end_s)
        annotation = (feature, label.present, start, end, label.side or "", label.justification)
        yield (take.video_id, *annotation, *_observability(feature, take, form))


def _observability(feature: str, take: Take, form: Format) -> tuple[str, ...]:
    """Columns on the observability of a sign, empty for a sign that does not occur."""
    observed = observe(feature, take, form)
    if observed is None:
        return ("",) * 5
    flags = ("yes" if flag else "no" for flag in (observed.occluded, observed.below_resolution, observed.undersampled))
    return (*flags, "" if observed.size_px is None else f"{observed.size_px:.1f}", f"{observed.needs_fps:.2f}")


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table of a data set."""
    with path.open("w", encoding="utf-8", newline="") as file:
        # The same bytes on every system: csv would end lines with CR LF.
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
