"""Importing a hospital's own annotations: a CSV table, and a mapping that says what its columns mean.

The table has a row per video (each feature its columns), or a row per video and sign. The mapping is YAML; see
``task_specs/schemas/mapping.schema.json``. Ids are assigned anew, in an order that says nothing; the originals stay
in ``private/sources.csv``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.dataset.load import SCHEMA
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, write_table
from s3harness.errors import DatasetError, UsageError
from s3harness.plugins import suggest
from s3harness.specs.document import Document, read_document, validate

WORDS = {
    "yes": ("yes", "y", "true", "1", "x", "present"),
    "no": ("no", "n", "false", "0", "absent"),
    "untested": ("untested", "na", "n/a", "not tested", ""),
}
SIDES = {"left": ("left", "l"), "right": ("right", "r"), "both": ("both", "b", "bilateral")}

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)")


@dataclass
class Imported:
    """The tables as they grow, by the source's own name of a video."""

    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    features: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def import_table(
    source: Path,
    out: Path,
    *,
    mapping: Path,
    videos: Path | None = None,
    encoding: str = "utf-8-sig",
    link: bool = False,
) -> int:
    """Make the data set directory ``out`` from the table ``source``; returns the number of videos.

    ``videos`` is the folder of the video files; they are copied, or with ``link`` linked. Raises :class:`UsageError`
    for a wrong call or mapping and :class:`DatasetError` listing every row that cannot be understood; ``out`` is made
    whole or not at all.
    """
    if out.exists():
        raise UsageError(f"{out} exists; choose another directory")
    document = read_document(mapping)
    validate(document, "mapping")
    found = _read(_rows(source, encoding, document), document)
    if found.problems:
        shown = "\n  ".join(found.problems[:20])
        raise DatasetError(f"{source.name}: {len(found.problems)} cells cannot be understood:\n  {shown}")
    building = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        _write(found, building, document, videos, link)
        building.replace(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return len(found.videos)


def seconds(text: str) -> float | None:
    """``37``, ``37.5``, ``MM:SS`` or ``H:MM:SS`` in seconds; ``None`` if empty. :class:`ValueError` otherwise."""
    if not text:
        return None
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time: write seconds, MM:SS or H:MM:SS")
    hours, minutes, rest = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(rest)


def _rows(source: Path, encoding: str, mapping: Document) -> list[tuple[int, dict[str, str]]]:
    try:
        text = source.read_bytes().decode(encoding)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise UsageError(f"{source.name}: not {encoding}: {error}; name its encoding with --encoding") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = [name.strip() for name in reader.fieldnames or ()]
    for where, column in _columns(mapping.data, ()):
        if column not in header:
            raise mapping.error(where, f"the table has no column {column!r}{suggest(column, header)}")
    return [
        (reader.line_num, {k: (v or "").strip() for k, v in zip(header, row.values(), strict=False)}) for row in reader
    ]


def _columns(mapping: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every column that a mapping names, with the place where it does."""
    skipped = ("schema", "name", "version", "licence", "words", "values", "vocabulary")
    for key, value in mapping.items():
        if key in skipped and not (key == "name" and where):
            continue
        if isinstance(value, str):
            yield (*where, key), value
        elif isinstance(value, Mapping):
            yield from _columns(value, (*where, key))


def _read(rows: Iterable[tuple[int, dict[str, str]]], mapping: Document) -> Imported:
    found = Imported()
    for number, row in rows:
        try:
            _read_row(row, mapping.data, found)
        except ValueError as error:
            found.problems.append(f"row {number}: {error}")
    return found


def _read_row(row: Mapping[str, str], mapping: Mapping[str, Any], found: Imported) -> None:
    name, patient = row[mapping["video"]], row[mapping["patient"]]
    if not name or not patient:
        raise ValueError("the video or the patient is empty")
    video = found.videos.setdefault(name, {"patient": patient})
    if video["patient"] != patient:
        raise ValueError("the video is already another patient's")
    for key in ("onset", "offset"):
        if key in mapping and row[mapping[key]]:
            video[f"{key}_s"] = seconds(row[mapping[key]])
    for key in ("split", "onset_body_part"):
        if key in mapping and row[mapping[key]]:
            video[key] = row[mapping[key]].lower() if key == "onset_body_part" else row[mapping[key]]
    if "diagnosis" in mapping:
        video["diagnosis"] = _word(row[mapping["diagnosis"]["column"]], _diagnoses(mapping)) or video.get("diagnosis")
    if "report" in mapping and row[mapping["report"]]:
        found.reports[name] = row[mapping["report"]]
    for feature, columns in _signs(row, mapping):
        found.features[name, feature] = _label(row, columns, mapping)


def _signs(row: Mapping[str, str], mapping: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The features of a row with the columns that tell of them."""
    yield from mapping.get("features", {}).items()
    if "sign" in mapping:
        word = row[mapping["sign"]["column"]]
        known = mapping["sign"].get("vocabulary", {})
        if word:
            yield known.get(word, word.lower().replace(" ", "_")), mapping["sign"]


def _label(row: Mapping[str, str], columns: Mapping[str, str], mapping: Mapping[str, Any]) -> dict[str, Any]:
    def cell(key: str) -> str:
        return row[columns[key]] if key in columns else ""

    words = {**WORDS, **{k: tuple(map(str.lower, v)) for k, v in mapping.get("words", {}).items()}}
    present = _word(cell("present"), words) if "present" in columns else "yes"
    return {
        "present": present,
        "start_s": seconds(cell("start")),
        "end_s": seconds(cell("end")),
        "side": _word(cell("side"), SIDES) if cell("side") else None,
        "justification": cell("justification"),
    }


def _word(text: str, words: Mapping[str, Iterable[str]]) -> str | None:
    for meaning, spellings in words.items():
        if text.lower() in spellings:
            return meaning
    if not text:
        return None
    raise ValueError(
        f"{text!r} is none of {', '.join(w for s in words.values() for w in s if w)}; add it to the mapping"
    )


def _diagnoses(mapping: Mapping[str, Any]) -> dict[str, list[str]]:
    said = mapping["diagnosis"].get("values", {})
    return {k: [k.lower(), *(word.lower() for word, meaning in said.items() if meaning == k)] for k in ("ES", "NES")}


def _write(found: Imported, out: Path, mapping: Document, videos: Path | None, link: bool) -> None:
    """Write all tables and files of the data set into a new directory."""
    (out / "videos").mkdir(parents=True)
    (out / "private").mkdir(mode=0o700)
    ids = _assign("v", found.videos)
    patients = _assign("p", {video["patient"] for video in found.videos.values()})
    ordered = sorted(found.videos, key=lambda name: ids[name])
    rows = [_video_row(found.videos[n], n, ids[n], patients, out, videos, link) for n in ordered]
    write_table(out / "videos.csv", VIDEOS, rows)
    labels = sorted(found.features.items(), key=lambda label: (ids[label[0][0]], label[0][1]))
    write_table(out / "features.csv", FEATURES, ({"video_id": ids[n], "feature": f} | v for (n, f), v in labels))
    reports = sorted((ids[name], text) for name, text in found.reports.items())
    write_table(out / "reports.csv", REPORTS, ({"video_id": i, "report": text} for i, text in reports))
    sources = ({"video_id": ids[n], "source": n, "patient": found.videos[n]["patient"]} for n in ordered)
    write_table(out / "private" / "sources.csv", ("video_id", "source", "patient"), sources)
    about = {key: str(mapping.data.get(key, "")) for key in ("name", "version", "licence")}
    (out / "dataset.json").write_text(json.dumps({"schema": SCHEMA, **about}, indent=1) + "\n", encoding="utf-8")


def _video_row(
    video: Mapping[str, Any],
    name: str,
    video_id: str,
    patients: Mapping[str, str],
    out: Path,
    folder: Path | None,
    link: bool,
) -> dict[str, Any]:
    row = {key: video.get(key) for key in ("diagnosis", "split", "onset_s", "offset_s", "onset_body_part")}
    file = _bring(folder / name, out / "videos", video_id, link) if folder is not None else None
    duration = _duration(out / file) if file else None
    return row | {"video_id": video_id, "patient_id": patients[video["patient"]], "file": file, "duration_s": duration}


def _bring(source: Path, folder: Path, video_id: str, link: bool) -> str:
    """Copy or link a video file under its opaque name; a missing one keeps its place and is found by validation."""
    target = folder / f"{video_id}{source.suffix.lower() or '.mp4'}"
    if source.is_file() and link:
        target.symlink_to(source.resolve())
    elif source.is_file():
        shutil.copyfile(source, target)
    return f"videos/{target.name}"


def _duration(path: Path) -> float | None:
    from s3harness.errors import MediaError
    from s3harness.media import probe

    try:
        return probe(path).duration_s if path.exists() else None
    except MediaError:
        return None


def _assign(letter: str, names: Iterable[str]) -> dict[str, str]:
    """Opaque ids, numbered in the order of a hash, so that they follow neither the alphabet nor the calendar."""
    shuffled = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    return {name: f"{letter}{number:04d}" for number, name in enumerate(shuffled, start=1)}
