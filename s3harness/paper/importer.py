"""Import of the authors' release, its annotations and its videos if there are any, as a data set directory.

Ids are numbered in the order of a hash of the release's names, so that two people who import the same release get the
same ids. The names, which contain a study date and the diagnosis, stay in ``private/sources.csv``. Irregularities of
the annotations are counted in ``import_report.json``, without naming a video.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """Counts of an import: videos, labels, files, and irregularities by kind (``quirks``); names no video."""

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
    """Write the data set directory ``out`` from a checkout of the release.

    ``videos`` is a folder with the video files under their names in the release, at any depth; they are copied, or with
    ``link`` linked, and their duration is measured. Raises :class:`UsageError` for a wrong call and
    :class:`~s3harness.errors.DatasetError` for tables that cannot be read; ``out`` is written completely or not at all.
    """
    if out.exists():
        raise UsageError(f"{out} exists; choose another directory")
    annotations = read_annotations(open_release(checkout))
    files = _find_files(videos, annotations) if videos is not None else {}
    # A sibling of the target: a rename is atomic only within one file system.
    building = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        report = _write(annotations, files, building, link)
        building.replace(out)
    except OSError as error:
        raise S3HarnessError(f"{out} cannot be written: {error.strerror}; choose another --out") from error
    finally:
        # After a success there is nothing left to remove.
        shutil.rmtree(building, ignore_errors=True)
    return report


def _find_files(folder: Path, annotations: Annotations) -> dict[str, Path]:
    """Return name → video file; :class:`UsageError` for a folder that has none of them."""
    candidates = {path.name: path for path in sorted(folder.rglob("*.mp4")) if path.is_file()}
    files = {name: candidates[name] for name in annotations.videos if name in candidates}
    if not files:
        raise UsageError(
            f"{folder} holds no video of the release; name the folder of the files under their original names"
        )
    annotations.quirks.note("videos without a file in the folder", len(annotations.videos) - len(files))
    annotations.quirks.note("other mp4 files in the folder; left out", len(candidates) - len(files))
    return files


def _write(annotations: Annotations, files: Mapping[str, Path], out: Path, link: bool) -> ImportReport:
    """Write all tables and files of the data set into a new directory."""
    (out / "videos").mkdir(parents=True)
    # Names of the release contain a study date and the diagnosis: for the owner's eyes only.
    (out / "private").mkdir(mode=0o700)
    # In the order of the ids, so that the order of the rows reveals nothing either.
    ordered = dict(sorted(annotations.videos.items(), key=lambda entry: entry[1].id))
    with_files = {name: _place(ordered[name], path, out, link, annotations.quirks) for name, path in files.items()}
    videos = {name: with_files.get(name, video) for name, video in ordered.items()}
    write_table(out / "videos.csv", VIDEOS, map(_video_row, videos.values()))
    write_table(out / "features.csv", FEATURES, (row for video in videos.values() for row in _feature_rows(video)))
    reports = ({"video_id": v.id, "report": v.report} for v in videos.values() if v.report)
    write_table(out / "reports.csv", REPORTS, reports)
    write_table(out / "clips.csv", CLIPS, _clip_rows(annotations))
    sources = ({"video_id": v.id, "source": n, "patient": patient_of(n)} for n, v in videos.items())
    write_table(out / "private" / "sources.csv", ("video_id", "source", "patient"), sources)
    # Loading a data set refuses links that lead outside, unless the import allowed them.
    if link and (targets := links_outside(out)):
        allow_links(out, targets)
    description = {"schema": SCHEMA, "name": NAME, "version": VERSION, "licence": LICENCE}
    _write_json(out / "dataset.json", description)
    report = _report(annotations, videos)
    _write_json(out / REPORT, {"schema": REPORT_SCHEMA, **asdict(report)})
    return report


def _place(video: Video, source: Path, out: Path, link: bool, quirks: Quirks) -> Video:
    """Return the video with its file in the data set, its duration, and without times beyond its end."""
    # Imported here: without videos an import needs no decoder.
    from s3harness.media import probe

    target = out / "videos" / f"{video.id}.mp4"
    if link:
        # Resolved, since a relative target would be looked up from the folder of the link.
        target.symlink_to(source.resolve())
    else:
        shutil.copyfile(source, target)
    try:
        duration = probe(target).duration_s
    except MediaError:
        # The file stays: a run reports the video as failed, and does not lose it silently.
        quirks.note("video files that cannot be decoded")
        return replace(video, path=Path("videos") / target.name)
    features = {name: _within(label, duration, quirks) for name, label in video.features.items()}
    return replace(video, path=Path("videos") / target.name, duration_s=duration, features=features)


def _within(label: FeatureLabel, duration_s: float, quirks: Quirks) -> FeatureLabel:
    """Return the label without the times that lie beyond the end of the video."""
    # BORDER_S: annotators note whole seconds, which may lie just beyond the last frame.
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
            row = {"video_id": video.id, "feature": name} | asdict(video.features[name])
            yield {column: row[column] for column in FEATURES}


def _clip_rows(annotations: Annotations) -> list[dict[str, object]]:
    rows = [(annotations.videos[clip.video].id, clip.subject, clip.target_s) for clip in annotations.clips]
    return [dict(zip(CLIPS, row, strict=True)) for row in sorted(rows)]


def _report(annotations: Annotations, videos: Mapping[str, Video]) -> ImportReport:
    labels = [label.present for video in videos.values() for label in video.features.values()]
    return ImportReport(
        videos=len(videos),
        patients=len({video.patient for video in videos.values()}),
        files=sum(video.path is not None for video in videos.values()),
        diagnoses=_counted([video.diagnosis or "none" for video in videos.values()]),
        splits=_counted([video.split or "none" for video in videos.values()]),
        signs=_counted(labels),
        reports=sum(bool(video.report) for video in videos.values()),
        clips=len(annotations.clips),
        quirks=dict(sorted(annotations.quirks.counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        tables=tuple(problem_lines(annotations.quirks.tables)),
    )


def _counted(words: list[Any]) -> dict[str, int]:
    return {word: words.count(word) for word in sorted(set(words))}


def _write_json(path: Path, data: Mapping[str, object]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
