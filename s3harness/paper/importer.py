"""Importing the authors' release: its annotations, with the videos where there are any, as a data set directory.

Ids are numbered in the order of a hash of the release's names, so that two people who import the same release get the
same ids. The names, which hold a study date and the diagnosis, stay in ``private/sources.csv``. What was odd about the
annotations is counted in ``import_report.json``, without naming a video.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from s3harness.dataset.links import allow_links, links_outside
from s3harness.dataset.load import BORDER_S, SCHEMA
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, problem_lines, write_table
from s3harness.errors import MediaError, S3HarnessError, UsageError
from s3harness.paper.annotations import Annotations, Quirks, read_annotations
from s3harness.paper.layout import open_release, patient_of
from s3harness.specs.features import vocabulary
from s3harness.types import FeatureLabel, Video

NAME = "s3"
VERSION = "release"
LICENCE = "not stated by the authors; not to be passed on"
REPORT = "import_report.json"
REPORT_SCHEMA = "s3harness/import_report/v1"
CLIPS = ("video_id", "subject", "target_s")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought in, and how often it met what kind of oddity; names no video."""

    videos: int
    patients: int
    files: int
    diagnoses: Mapping[str, int]
    splits: Mapping[str, int]
    signs: Mapping[str, int]
    reports: int
    clips: int
    quirks: Mapping[str, int]
    tables: tuple[str, ...]


def import_release(checkout: Path, out: Path, *, videos: Path | None = None, link: bool = False) -> ImportReport:
    """Make the data set directory ``out`` from a checkout of the release.

    ``videos`` is a folder with the video files under their names in the release, at any depth; they are copied, or with
    ``link`` linked, and their duration is measured. Raises :class:`UsageError` for a wrong call and
    :class:`~s3harness.errors.DatasetError` for tables that cannot be read; ``out`` is made whole or not at all.
    """
    if out.exists():
        raise UsageError(f"{out} exists; choose another directory")
    found = read_annotations(open_release(checkout))
    files = _find_files(videos, found) if videos is not None else {}
    building = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        report = _write(found, files, building, link)
        building.replace(out)
    except OSError as error:
        raise S3HarnessError(f"{out} cannot be made: {error.strerror}; choose another --out") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return report


def _find_files(folder: Path, found: Annotations) -> dict[str, Path]:
    """Name → video file; a folder that has none of them is a wrong call."""
    there = {path.name: path for path in sorted(folder.rglob("*.mp4")) if path.is_file()}
    files = {name: there[name] for name in found.videos if name in there}
    if not files:
        raise UsageError(
            f"{folder} holds no video of the release; name the folder of the files under their original names"
        )
    found.quirks.note("videos without a file in the folder", len(found.videos) - len(files))
    found.quirks.note("other mp4 files in the folder; left out", len(there) - len(files))
    return files


def _write(found: Annotations, files: Mapping[str, Path], out: Path, link: bool) -> ImportReport:
    """Write all tables and files of the data set into a new directory."""
    (out / "videos").mkdir(parents=True)
    (out / "private").mkdir(mode=0o700)
    ordered = dict(sorted(found.videos.items(), key=lambda entry: entry[1].id))
    placed = {name: _place(ordered[name], path, out, link, found.quirks) for name, path in files.items()}
    kept = {name: placed.get(name, video) for name, video in ordered.items()}
    write_table(out / "videos.csv", VIDEOS, map(_video_row, kept.values()))
    write_table(out / "features.csv", FEATURES, (row for video in kept.values() for row in _feature_rows(video)))
    write_table(
        out / "reports.csv", REPORTS, ({"video_id": v.id, "report": v.report} for v in kept.values() if v.report)
    )
    write_table(out / "clips.csv", CLIPS, _clip_rows(found))
    sources = ({"video_id": v.id, "source": n, "patient": patient_of(n)} for n, v in kept.items())
    write_table(out / "private" / "sources.csv", ("video_id", "source", "patient"), sources)
    if link and (targets := links_outside(out)):
        allow_links(out, targets)
    about = {"schema": SCHEMA, "name": NAME, "version": VERSION, "licence": LICENCE}
    _write_json(out / "dataset.json", about)
    report = _report(found, kept)
    _write_json(out / REPORT, {"schema": REPORT_SCHEMA, **asdict(report)})
    return report


def _place(video: Video, source: Path, out: Path, link: bool, quirks: Quirks) -> Video:
    """The video with its file in the data set, its duration, and without times beyond its end."""
    from s3harness.media import probe

    target = out / "videos" / f"{video.id}.mp4"
    if link:
        target.symlink_to(source.resolve())
    else:
        shutil.copyfile(source, target)
    try:
        duration = probe(target).duration_s
    except MediaError:
        quirks.note("video files that cannot be decoded")
        return replace(video, path=Path("videos") / target.name)
    features = {name: _within(label, duration, quirks) for name, label in video.features.items()}
    return replace(video, path=Path("videos") / target.name, duration_s=duration, features=features)


def _within(label: FeatureLabel, duration_s: float, quirks: Quirks) -> FeatureLabel:
    """The label without the times that lie beyond the end of the video."""
    start, end = (None if t is not None and t > duration_s + BORDER_S else t for t in (label.start_s, label.end_s))
    quirks.note("times beyond the end of the video; left out", (start, end) != (label.start_s, label.end_s))
    return replace(label, start_s=start, end_s=end)


def _video_row(video: Video) -> dict[str, object]:
    return {
        "video_id": video.id,
        "patient_id": video.patient,
        "file": video.path.as_posix() if video.path else None,
        "diagnosis": video.diagnosis,
        "split": video.split,
        "duration_s": video.duration_s,
        "onset_s": video.onset_s,
        "offset_s": video.offset_s,
        "onset_body_part": video.onset_body_part,
    }


def _feature_rows(video: Video) -> Iterator[dict[str, object]]:
    for name in (*vocabulary().names, *vocabulary().signs):
        if name in video.features:
            yield {"video_id": video.id, "feature": name} | asdict(video.features[name])


def _clip_rows(found: Annotations) -> list[dict[str, object]]:
    rows = [(found.videos[clip.video].id, clip.subject, clip.target_s) for clip in found.clips]
    return [dict(zip(CLIPS, row, strict=True)) for row in sorted(rows)]


def _report(found: Annotations, videos: Mapping[str, Video]) -> ImportReport:
    labels = [label.present for video in videos.values() for label in video.features.values()]
    return ImportReport(
        videos=len(videos),
        patients=len({video.patient for video in videos.values()}),
        files=sum(video.path is not None for video in videos.values()),
        diagnoses=_counted([video.diagnosis or "none" for video in videos.values()]),
        splits=_counted([video.split or "none" for video in videos.values()]),
        signs=_counted(labels),
        reports=sum(bool(video.report) for video in videos.values()),
        clips=len(found.clips),
        quirks=dict(sorted(found.quirks.counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        tables=tuple(problem_lines(found.quirks.tables)),
    )


def _counted(words: list[Any]) -> dict[str, int]:
    return {word: words.count(word) for word in sorted(set(words))}


def _write_json(path: Path, data: Mapping[str, object]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
