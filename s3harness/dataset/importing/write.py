"""Writing of an imported table as a data set directory, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from s3harness.dataset.identity import SECRET, new_secret, opaque_ids, read_secret
from s3harness.dataset.importing.mapping import read_mapping, standard_mapping
from s3harness.dataset.importing.rows import Imported, read_rows
from s3harness.dataset.importing.source_table import SourceTable
from s3harness.dataset.importing.spans import add_spans, join_parts, restore_names, write_joined, write_part
from s3harness.dataset.importing.video_files import VideoFolder, bring, duration_of, target_name
from s3harness.dataset.links import allow_links, links_outside
from s3harness.dataset.load import SCHEMA
from s3harness.dataset.tables import CERTAINTY, FEATURES, REPORTS, VIDEOS, write_table
from s3harness.errors import DatasetError, S3HarnessError, UsageError
from s3harness.files import write_text
from s3harness.specs.document import yaml_text
from s3harness.specs.features import FILE as FEATURE_LIST
from s3harness.specs.features import vocabulary

SHOWN_PROBLEMS = 20
NOTES, MISSING = Path("private") / "import_notes.txt", Path("private") / "missing_files.txt"
"""Files of an imported data set: what the import left out or changed, and names of the videos without a file."""


def import_rows(
    table: SourceTable,
    out: Path,
    *,
    mapping: Path | None,
    videos: Path | None,
    link: bool,
    ids_of: Path | None,
    confirmed: str = "",
    notes: Iterable[str] = (),
) -> int:
    """Make the data set directory ``out`` of a table of annotations; return the number of videos.

    Without ``mapping``, the table's columns have the standard names, and signs of no known name are notes. Raises
    :class:`UsageError` for a wrong call or mapping and :class:`DatasetError` listing every row that cannot be
    understood.
    """
    document = read_mapping(mapping, confirmed) if mapping is not None else None
    data = document.data if document is not None else standard_mapping(table)
    secret = _checked_secret(out, videos, ids_of)
    imported = read_rows(table, data, notes_unknown=document is None)
    imported.notes[:0] = notes
    return write_imported(imported, out, data, secret, videos, link=link)


def write_imported(
    imported: Imported, out: Path, mapping: Mapping[str, Any], secret: str, videos: Path | None, *, link: bool
) -> int:
    """Write videos and labels as the data set ``out``; return the number of videos; :class:`DatasetError` if wrong."""
    problems = imported.problems
    if problems:
        shown = "\n  ".join(problems[:SHOWN_PROBLEMS])
        more = f"\n  … and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        rows = "1 row" if len(problems) == 1 else f"{len(problems)} rows"
        raise DatasetError(f"{rows} could not be imported; fix the cause and import again:\n  {shown}{more}")
    # Built beside its place and renamed: a kill leaves no half data set under the name that was asked for.
    building = out.with_name(f".{out.name}.{os.getpid()}")
    folder = VideoFolder(videos) if videos is not None else None
    if folder is not None:
        restore_names(imported, folder)
    join_parts(imported, mapping, folder)
    add_spans(imported, mapping)
    try:
        _write(imported, building, mapping, secret, folder, link)
        building.replace(out)
    except OSError as error:
        raise S3HarnessError(f"{out} cannot be made: {error.strerror}; choose another --out") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return len(imported.videos)


def import_notes(out: Path) -> tuple[list[str], list[str]]:
    """Return the notes of the import that made a data set, and the names of the videos whose files were missing."""
    return _lines(out / NOTES), _lines(out / MISSING)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _checked_secret(out: Path, videos: Path | None, ids_of: Path | None) -> str:
    """Return the secret of the ids; :class:`UsageError` if the directory exists or the folder of videos does not."""
    if out.exists():
        raise UsageError(f"{out} exists; choose another directory")
    if videos is not None and not videos.is_dir():
        raise UsageError(f"{videos} is not a folder; name the folder of the video files")
    return read_secret(ids_of) if ids_of is not None else new_secret()


def _write(
    imported: Imported, out: Path, mapping: Mapping[str, Any], secret: str, videos: VideoFolder | None, link: bool
) -> None:
    """Write all tables and files of the data set into a new directory."""
    (out / "videos").mkdir(parents=True)
    (out / "private").mkdir(mode=0o700)
    write_text(out / SECRET, f"{secret}\n", is_private=True)
    ids = opaque_ids("v", imported.videos, secret)
    patients = opaque_ids("p", {video["patient"] for video in imported.videos.values()}, secret)
    ordered = sorted(imported.videos, key=lambda name: ids[name])
    # Before the rows, since a cut moves the times of its event.
    files = {n: _bring_file(imported, n, out / "videos", ids[n], videos, link) if videos else None for n in ordered}
    rows = [_video_row(imported.videos[n], ids[n], patients, files[n]) for n in ordered]
    write_table(out / "videos.csv", VIDEOS, rows)
    _write_labels(imported, out, ids)
    reports = [(ids[name], imported.videos[name]["report"]) for name in ordered if "report" in imported.videos[name]]
    write_table(out / "reports.csv", REPORTS, ({"video_id": i, "report": text} for i, text in reports))
    sources = ({"video_id": ids[n], "source": n, "patient": imported.videos[n]["patient"]} for n in ordered)
    write_table(out / "private" / "sources.csv", ("video_id", "source", "patient"), sources)
    if link and (targets := links_outside(out)):
        allow_links(out, targets)
    for path, lines in ((NOTES, [*imported.notes, *(videos.notes if videos else ())]), (MISSING, _missing(videos))):
        if lines:
            write_text(out / path, "\n".join(lines) + "\n", is_private=True)
    about = {key: str(mapping.get(key, "")) for key in ("name", "version", "licence")}
    if vocabulary().is_own:
        # The data set keeps its list, so that every later command reads it by the same signs.
        write_text(out / FEATURE_LIST, yaml_text(vocabulary().data))
    language = {"language": mapping["language"]} if mapping.get("language") else {}
    write_text(out / "dataset.json", json.dumps({"schema": SCHEMA, **about, **language}, indent=1) + "\n")


def _missing(videos: VideoFolder | None) -> list[str]:
    return list(dict.fromkeys(videos.missing)) if videos else []


def _write_labels(imported: Imported, out: Path, ids: Mapping[str, str]) -> None:
    labels = sorted(imported.features.items(), key=lambda label: (ids[label[0][0]], label[0][1]))
    has_certainty = any(label[CERTAINTY] for _, label in labels)
    columns = (*FEATURES, CERTAINTY) if has_certainty else FEATURES
    rows = ({"video_id": ids[n], "feature": f} | v for (n, f), v in labels)
    write_table(out / "features.csv", columns, ({column: row[column] for column in columns} for row in rows))


def _video_row(
    video: Mapping[str, Any],
    video_id: str,
    patients: Mapping[str, str],
    file: Path | None,
) -> dict[str, Any]:
    row = {key: video.get(key) for key in ("diagnosis", "split", "onset_s", "offset_s", "onset_body_part")}
    row |= {"video_id": video_id, "patient_id": patients[video["patient"]]}
    return row | {"file": file and f"videos/{file.name}", "duration_s": file and duration_of(file)}


def _bring_file(imported: Imported, name: str, folder: Path, video_id: str, videos: VideoFolder, link: bool) -> Path:
    """Copy, link, cut or join the file of a video; return its path, which a missing file keeps for validation."""
    video = imported.videos[name]
    sources = [videos.file_of(file) for file in video.get("files", [video["file"]])]
    target = folder / target_name(video_id, sources[0] or video["file"])
    whole = [source for source in sources if source is not None]
    if len(whole) < len(sources):
        return target
    if len(whole) > 1:
        return write_joined(whole, target, name)
    if "span" in video:
        return write_part(imported, name, whole[0], target)
    bring(whole[0], target, link=link)
    return target
