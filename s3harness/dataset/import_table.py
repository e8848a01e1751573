"""Importing a hospital's own annotations: a CSV table, and a mapping that says what its columns mean.

The table has a row per video (each feature its columns), or a row per video and sign. The mapping is YAML; see
``task_specs/schemas/mapping.schema.json``. Ids are keyed hashes of the table's names (:mod:`.identity`); the originals
stay in ``private/sources.csv``.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from s3harness.dataset.identity import SECRET, new_secret, opaque_ids, read_secret, source_key
from s3harness.dataset.links import allow_links, links_outside
from s3harness.dataset.load import SCHEMA
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, Problem, Row, parse_table, write_table
from s3harness.errors import DatasetError, MediaError, S3HarnessError, UsageError, suggest
from s3harness.files import write_text
from s3harness.specs.document import Document, Place, read_document, validate
from s3harness.specs.features import vocabulary

DELIMITERS = (",", ";", "\t")
SHOWN_PROBLEMS = 20
WORDS = {
    "yes": ("yes", "y", "true", "1", "x", "present"),
    "no": ("no", "n", "false", "0", "absent"),
    "untested": ("untested", "na", "n/a", "not tested", ""),
}
SIDES = {"left": ("left", "l"), "right": ("right", "r"), "both": ("both", "b", "bilateral")}
VIDEO_SUFFIXES = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".mts",
    ".ts",
    ".wmv",
    ".asf",
    ".3gp",
)

WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of the files of spreadsheet programs: xlsx and ods, and xls."""

_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass
class Imported:
    """Tables under construction, by the source's own name of a video."""

    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    features: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def import_table(
    source: Path,
    out: Path,
    *,
    mapping: Path,
    videos: Path | None = None,
    encoding: str = "utf-8-sig",
    link: bool = False,
    ids_of: Path | None = None,
) -> int:
    """Make the data set directory ``out`` from the table ``source``; return the number of videos.

    ``videos`` is the folder of the video files; they are copied, or with ``link`` linked. ``ids_of`` is a data set
    whose secret is used, so that the videos of both have the same ids. Raises :class:`UsageError`
    for a wrong call or mapping and :class:`DatasetError` listing every row that cannot be understood; ``out`` is made
    whole or not at all.
    """
    if out.exists():
        raise UsageError(f"{out} exists; choose another directory")
    if videos is not None and not videos.is_dir():
        raise UsageError(f"{videos} is not a folder; name the folder of the video files")
    secret = read_secret(ids_of) if ids_of is not None else new_secret()
    document = read_document(mapping)
    validate(document, "mapping")
    _check_signs(document)
    imported = _read(_rows(source, encoding, document), document)
    problems = imported.problems
    if problems:
        shown = "\n  ".join(problems[:SHOWN_PROBLEMS])
        more = f"\n  … and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        rows = "1 row" if len(problems) == 1 else f"{len(problems)} rows"
        raise DatasetError(f"{rows} could not be imported; fix the cause and import again:\n  {shown}{more}")
    # Built beside its place and renamed: a kill leaves no half data set under the name that was asked for.
    building = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        _write(imported, building, document, secret, videos, link)
        building.replace(out)
    except OSError as error:
        raise S3HarnessError(f"{out} cannot be made: {error.strerror}; choose another --out") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return len(imported.videos)


def seconds(text: str) -> float | None:
    """Parse ``37``, ``37.5`` (or ``37,5``), ``MM:SS`` or ``H:MM:SS`` into seconds; ``None`` if empty.

    Raises :class:`ValueError` for anything else.
    """
    if not text:
        return None
    # Decimal commas come with semicolon-separated tables.
    parts = text.replace(",", ".").split(":")
    if len(parts) > 3 or not all(map(_NUMBER.fullmatch, parts)) or "." in "".join(parts[:-1]):
        raise ValueError(f"{text!r} is not a time: write seconds, MM:SS or H:MM:SS")
    first, *rest = map(float, parts)
    if any(part >= 60 for part in rest):
        raise ValueError(f"{text!r} is not a time: minutes and seconds after a colon go up to 59")
    return sum(60.0**n * part for n, part in enumerate(reversed([first, *rest])))


def _check_signs(mapping: Document) -> None:
    """Raise :class:`SpecError` if a mapping names a sign that the benchmark does not have."""
    known = (*vocabulary().names, *vocabulary().signs)
    signs: list[tuple[Place, str]] = [(("features", name), name) for name in mapping.data.get("features", {})]
    words = mapping.data.get("sign", {}).get("vocabulary", {})
    signs += [(("sign", "vocabulary", word), name) for word, name in words.items()]
    for where, name in signs:
        if name not in known:
            raise mapping.error(where, f"there is no sign named {name!r}{suggest(name, known)}")


def _rows(source: Path, encoding: str, mapping: Document) -> tuple[list[Row], list[Problem]]:
    """Return the rows of the table, and the problems of its form."""
    try:
        content = source.read_bytes()
        # Decoded as text, a workbook gives an error that does not name the cause.
        if content.startswith(WORKBOOKS):
            raise UsageError(f"{source.name} is a workbook of a spreadsheet program; save it as CSV, in UTF-8")
        text = content.decode(encoding)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from error
    except (UnicodeError, LookupError) as error:
        raise UsageError(f"{source.name}: not {encoding}: {error}; name its encoding with --encoding") from error
    columns = dict(_columns(mapping.data, ()))
    tables = []
    # Of the delimiters the one counts under which most columns of the mapping appear: German Excel writes semicolons.
    for delimiter in DELIMITERS:
        problems: list[Problem] = []
        header, read = parse_table(source.name, io.StringIO(text, newline=""), problems, delimiter)
        tables.append((sum(column in header for column in columns.values()), header, list(read), problems))
    _, header, rows, problems = max(tables, key=lambda table: table[0])
    for where, column in columns.items():
        if column not in header:
            raise mapping.error(where, f"the table has no column {column!r}{suggest(column, header)}")
    return rows, problems


def _columns(mapping: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[tuple[Place, str]]:
    """Yield every column that a mapping names, with its place in the mapping."""
    for key, value in mapping.items():
        # Words of cells and facts of the data set are texts in a mapping, too, but no columns.
        if key in ("words", "values", "vocabulary") or (not where and key in ("schema", "name", "version", "licence")):
            continue
        if isinstance(value, str):
            yield (*where, key), value
        elif isinstance(value, Mapping):
            yield from _columns(value, (*where, key))


def _read(table: tuple[list[Row], list[Problem]], mapping: Document) -> Imported:
    rows, problems = table
    imported = Imported(problems=[str(problem) for problem in problems])
    for row in rows:
        try:
            _read_row(row, mapping.data, imported)
        except ValueError as error:
            imported.problems.append(str(row.problem("", str(error))))
    return imported


def _read_row(row: Row, mapping: Mapping[str, Any], imported: Imported) -> None:
    name, patient = source_key(row[mapping["video"]]), source_key(row[mapping["patient"]])
    if not name or not patient:
        raise ValueError("the video or the patient is empty")
    # A table may come from elsewhere: its names must not reach files outside of the folder.
    if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
        raise ValueError(f"{name!r} is not a file in the folder of the videos")
    video = imported.videos.setdefault(name, {})
    _agree(video, "patient", patient)
    for key in ("onset", "offset"):
        _agree(video, f"{key}_s", seconds(_cell(row, mapping, key)))
    _agree(video, "split", _cell(row, mapping, "split"))
    _agree(video, "onset_body_part", _body_part(_cell(row, mapping, "onset_body_part")))
    if "diagnosis" in mapping:
        _agree(video, "diagnosis", _word(row[mapping["diagnosis"]["column"]], _diagnoses(mapping), "diagnosis.values"))
    _agree(video, "report", _cell(row, mapping, "report"))
    for feature, columns in _signs(row, mapping):
        # Taking the last of two would hide a contradiction of the annotators.
        if (name, feature) in imported.features:
            raise ValueError(f"{feature} of this video is given twice")
        imported.features[name, feature] = _label(row, columns, mapping)


def _cell(row: Row, columns: Mapping[str, Any], key: str) -> str:
    """The cell of a column that may not be mapped."""
    return row[columns[key]] if key in columns else ""


def _agree(video: dict[str, Any], key: str, value: object) -> None:
    """Note what a row says of its video; an empty cell says nothing, and two rows may not differ."""
    if value not in (None, "") and video.setdefault(key, value) != value:
        raise ValueError(
            f"{key.removesuffix('_s')} {value!r} differs from {video[key]!r} of an earlier row of this video"
        )


def _body_part(text: str) -> str:
    part = " ".join(text.lower().replace("_", " ").split())
    if part and part not in vocabulary().body_parts:
        raise ValueError(f"{text!r} is not a body part{suggest(part, vocabulary().body_parts)}")
    return part


def _signs(row: Row, mapping: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the features of a row, each with its columns."""
    yield from mapping.get("features", {}).items()
    word = row[mapping["sign"]["column"]] if "sign" in mapping else ""
    if word:
        yield _sign(word, mapping["sign"].get("vocabulary", {})), mapping["sign"]


def _sign(word: str, words: Mapping[str, str]) -> str:
    known = (*vocabulary().names, *vocabulary().signs)
    # The mapping's own word goes first: it may rename even a sign of the vocabulary.
    sign = words.get(word, word.lower().replace(" ", "_"))
    if sign not in known:
        near = suggest(sign, known)
        raise ValueError(
            f"there is no sign named {word!r}{near}; add its meaning to the mapping, under sign.vocabulary"
        )
    return sign


def _label(row: Row, columns: Mapping[str, str], mapping: Mapping[str, Any]) -> dict[str, Any]:
    words, sides = _spellings(WORDS, mapping), _spellings(SIDES, mapping)
    return {
        "present": _word(_cell(row, columns, "present"), words, "words") if "present" in columns else "yes",
        "start_s": seconds(_cell(row, columns, "start")),
        "end_s": seconds(_cell(row, columns, "end")),
        "side": _word(_cell(row, columns, "side"), sides, "words") if _cell(row, columns, "side") else None,
        "justification": _cell(row, columns, "justification"),
    }


def _spellings(builtin: Mapping[str, tuple[str, ...]], mapping: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return meaning → its spellings in lower case, the mapping's own ones among them."""
    further = mapping.get("words", {})
    return {key: (*spellings, *map(str.lower, further.get(key, ()))) for key, spellings in builtin.items()}


def _word(text: str, words: Mapping[str, Iterable[str]], where: str) -> str | None:
    """Return the meaning of a word; ``where`` is the place in the mapping for spellings that are not known."""
    for meaning, spellings in words.items():
        if text.lower() in spellings:
            return meaning
    if not text:
        return None
    raise ValueError(
        f"{text!r} is none of {', '.join(w for s in words.values() for w in s if w)}; add it to the mapping, "
        f"under {where}"
    )


def _diagnoses(mapping: Mapping[str, Any]) -> dict[str, list[str]]:
    values = mapping["diagnosis"].get("values", {})
    return {k: [k.lower(), *(word.lower() for word, meaning in values.items() if meaning == k)] for k in ("ES", "NES")}


def _write(imported: Imported, out: Path, mapping: Document, secret: str, videos: Path | None, link: bool) -> None:
    """Write all tables and files of the data set into a new directory."""
    (out / "videos").mkdir(parents=True)
    (out / "private").mkdir(mode=0o700)
    write_text(out / SECRET, f"{secret}\n", is_private=True)
    ids = opaque_ids("v", imported.videos, secret)
    patients = opaque_ids("p", {video["patient"] for video in imported.videos.values()}, secret)
    ordered = sorted(imported.videos, key=lambda name: ids[name])
    rows = [_video_row(imported.videos[n], n, ids[n], patients, out, videos, link) for n in ordered]
    write_table(out / "videos.csv", VIDEOS, rows)
    labels = sorted(imported.features.items(), key=lambda label: (ids[label[0][0]], label[0][1]))
    write_table(out / "features.csv", FEATURES, ({"video_id": ids[n], "feature": f} | v for (n, f), v in labels))
    reports = [(ids[name], imported.videos[name]["report"]) for name in ordered if "report" in imported.videos[name]]
    write_table(out / "reports.csv", REPORTS, ({"video_id": i, "report": text} for i, text in reports))
    sources = ({"video_id": ids[n], "source": n, "patient": imported.videos[n]["patient"]} for n in ordered)
    write_table(out / "private" / "sources.csv", ("video_id", "source", "patient"), sources)
    if link and (targets := links_outside(out)):
        allow_links(out, targets)
    about = {key: str(mapping.data.get(key, "")) for key in ("name", "version", "licence")}
    write_text(out / "dataset.json", json.dumps({"schema": SCHEMA, **about}, indent=1) + "\n")


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
    file = _bring(_on_disk(folder, name), out / "videos", video_id, link) if folder is not None else None
    duration = _duration(out / file) if file else None
    return row | {"video_id": video_id, "patient_id": patients[video["patient"]], "file": file, "duration_s": duration}


def _on_disk(folder: Path, name: str) -> Path:
    """Path of a video file; if there is none of exactly this name, of one that looks the same."""
    # macOS writes names with combining accents (u and ¨), spreadsheets with composed letters (ü).
    forms = [folder / name, *(folder / unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]
    return next((path for path in forms if path.is_file()), forms[0])


def _bring(source: Path, folder: Path, video_id: str, link: bool) -> str:
    """Copy or link a video file under its opaque name; a missing file is left to validation."""
    suffix = source.suffix.lower()
    target = folder / f"{video_id}{suffix if suffix in VIDEO_SUFFIXES else '.mp4'}"
    if source.is_file() and link:
        target.symlink_to(source.resolve())
    elif source.is_file():
        shutil.copyfile(source, target)
    return f"videos/{target.name}"


def _duration(path: Path) -> float | None:
    from s3harness.media import probe

    try:
        return probe(path).duration_s if path.exists() else None
    except MediaError:
        return None
