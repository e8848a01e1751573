"""A BIDS data set: ``events.tsv`` of each recording with HED-SCORE tags in the sidecar, and ``beh.tsv`` without times.

A patient is a subject, a recording an acquisition of the task ``seizure``. Columns of events: onset and duration in
seconds, trial_type (the sign), annotator (the source), presence, side, certainty, note. Statements without a time are
rows of ``beh.tsv`` with the same columns.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import s3harness
from s3harness_formats.hed import SCHEMA, SIDES, label_tags, normalised, sidecar_tags, signs_of_tags
from s3harness_formats.labels import LabelMeanings, ReadStatements, apply_details, is_timed

TASK = "seizure"
BIDS_VERSION = "1.10.0"
SIDECAR = f"task-{TASK}_events.json"
NA = "n/a"
COLUMNS = ("trial_type", "annotator", "presence", "side", "certainty", "note")
ENDS = "end_only"
"""Value of the column ``edge`` of an event whose onset is the end of a sign."""
_NOT_IN_LABEL = re.compile(r"[^A-Za-z0-9]")
_BLANK = re.compile(r"[\t\r\n]+")


def export_bids(annotations: s3harness.AnnotationSet, out: Path) -> list[str]:
    """Write the data set; returns a note of the signs that HED-SCORE has no tag for."""
    _write_json(
        out / "dataset_description.json",
        {
            "Name": annotations.name or "seizure semiology",
            "BIDSVersion": BIDS_VERSION,
            "HEDVersion": SCHEMA,
            "DatasetType": "raw",
            "License": "see the data set that was exported",
            "GeneratedBy": [{"Name": "s3harness", "Version": s3harness.__version__}],
        },
    )
    tags = sidecar_tags(annotations.signs)
    _write_json(out / SIDECAR, _sidecar(annotations, tags))
    patients = dict.fromkeys(_subject(recording) for recording in annotations.recordings)
    _write_rows(out / "participants.tsv", ("participant_id",), [(patient,) for patient in patients])
    (out / "README").write_text("Signs of seizures in video recordings, as events with HED-SCORE tags.\n")
    for recording in annotations.recordings:
        _write_recording(recording, out)
    used = {one.sign for r in annotations.recordings for statements in r.statements.values() for one in statements}
    untagged = [sign for sign in annotations.signs if sign in used and sign not in tags]
    return [f"without a HED-SCORE tag: {sign}" for sign in untagged]


def read_bids(path: Path, labels: LabelMeanings) -> ReadStatements:
    """Read a data set, or one ``events.tsv`` with the sidecars beside and above it; raises :class:`DatasetError`."""
    read = ReadStatements()
    files = sorted(path.rglob("*_events.tsv")) if path.is_dir() else [path]
    if not files:
        raise s3harness.DatasetError(f"{path.name}: there is no file *_events.tsv in it; name a BIDS data set")
    by_recording: dict[str, list[Path]] = {}
    for file in files:
        by_recording.setdefault(file.name.removesuffix("_events.tsv"), []).append(file)
    for stem, (file, *_) in by_recording.items():
        statements: dict[str, list[s3harness.SignStatement]] = {}
        hed = _hed_of_levels(file, path)
        beside = file.with_name(f"{stem}_beh.tsv")
        for table in (file, *([beside] if beside.is_file() else [])):
            for number, row in enumerate(_rows(table), start=2):
                _keep(row, f"{table.name}:{number}", labels, hed, statements, read)
        ordered = {source: tuple(of_source) for source, of_source in statements.items()}
        entities = dict(part.split("-", 1) for part in stem.split("_") if "-" in part)
        video = entities.get("acq") or stem
        read.recordings.append(
            s3harness.Recording(id=video, patient=f"sub-{entities.get('sub', stem)}", statements=ordered)
        )
    return read


def _subject(recording: s3harness.Recording) -> str:
    return f"sub-{_NOT_IN_LABEL.sub('', recording.patient) or 'unknown'}"


def _sidecar(annotations: s3harness.AnnotationSet, tags: Mapping[str, str]) -> dict[str, object]:
    return {
        "trial_type": {"Description": "The sign", "Levels": dict(annotations.signs), "HED": dict(tags)},
        "annotator": {
            "Description": "The source of the annotation: the annotators (truth), or a model",
            "Levels": {source: source for source in annotations.sources},
            "HED": label_tags(annotations.sources),
        },
        "presence": {
            "Description": "Whether the sign was there",
            "Levels": {"yes": "seen or heard", "no": "not there", "untested": "could not be judged"},
        },
        "side": {
            "Description": "The patient's own side",
            "Levels": {side: side for side in SIDES},
            "HED": dict(SIDES),
        },
        "certainty": {"Description": "How sure the source is: its own word, or a probability"},
        "edge": {"Description": "Which time is known", "Levels": {ENDS: "onset is the end of the sign"}},
        "repeat": {
            "Description": "Number of an event that has the source, sign, side and onset of another",
            "HED": "Label/#",
        },
        "note": {"Description": "Remark of the source"},
    }


def _write_recording(recording: s3harness.Recording, out: Path) -> None:
    folder = out / _subject(recording) / "beh"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{_subject(recording)}_task-{TASK}_acq-{_NOT_IN_LABEL.sub('', recording.id)}"
    pairs = [(source, one) for source, statements in recording.statements.items() for one in statements]
    timed = [(source, one) for source, one in pairs if is_timed(one)]
    # BIDS wants events in the order of their onsets; sorted keeps the order of those that begin together.
    timed.sort(key=lambda pair: _onset(pair[1]))
    header = ("onset", "duration", *COLUMNS[:5], "edge", "repeat", *COLUMNS[5:])
    seen: Counter[object] = Counter()
    rows = []
    for source, one in timed:
        key = (source, one.sign, one.side, _onset(one))
        seen[key] += 1
        rows.append((*_times(one), *_cells(source, one, f"repeat-{seen[key]}" if seen[key] > 1 else NA)))
    _write_rows(folder / f"{stem}_events.tsv", header, rows)
    untimed = [_cells(source, one) for source, one in pairs if not is_timed(one)]
    if untimed:
        _write_rows(folder / f"{stem}_beh.tsv", COLUMNS, untimed)


def _onset(one: s3harness.SignStatement) -> float:
    return one.start_s if one.start_s is not None else one.end_s or 0.0


def _times(one: s3harness.SignStatement) -> tuple[str, str]:
    if one.start_s is None or one.end_s is None:
        return repr(_onset(one)), NA
    # In whole microseconds: in binary fractions 20.1 s − 3.3 s is no decimal number.
    return repr(one.start_s), repr((round(one.end_s * 1e6) - round(one.start_s * 1e6)) / 1e6)


def _cells(source: str, one: s3harness.SignStatement, repeat: str = "") -> tuple[str, ...]:
    known = (ENDS if one.start_s is None else NA, repeat) if repeat else ()
    return (one.sign, source, one.present, one.side or NA, one.certainty or NA, *known, one.note or NA)


def _keep(
    row: Mapping[str, str],
    place: str,
    labels: LabelMeanings,
    hed: Mapping[str, str],
    statements: dict[str, list[s3harness.SignStatement]],
    read: ReadStatements,
) -> None:
    """Keep the statement of a row; its sign is named by ``trial_type``, by its HED tags, or by those of its level."""
    level = row.get("trial_type", "")
    own_tags = normalised(row.get("HED", ""))
    signs = signs_of_tags()
    one = labels.statement(level) if level else None
    if one is None and (sign := signs.get(own_tags) or signs.get(hed.get(level, ""))):
        one = s3harness.SignStatement(sign=sign)
    if one is None:
        one = read.statement(labels, level or row.get("HED", "") or place)
    fields = {"present": row.get("presence", ""), "side": row.get("side", "").lower(), "note": row.get("note", "")}
    fields["certainty"] = row.get("certainty", "") or one.certainty
    one = apply_details(one, {name: value for name, value in fields.items() if value})
    try:
        onset = float(row["onset"]) if row.get("onset") else None
        duration = float(row["duration"]) if row.get("duration") else None
    except ValueError as error:
        raise s3harness.DatasetError(f"{place}: onset and duration are seconds: {error}; correct the row") from error
    if onset is not None and row.get("edge") == ENDS:
        one = replace(one, end_s=onset)
    elif onset is not None:
        end = None if duration is None else (round(onset * 1e6) + round(duration * 1e6)) / 1e6
        one = replace(one, start_s=onset, end_s=end)
    statements.setdefault(row.get("annotator") or "annotator", []).append(one)


def _hed_of_levels(file: Path, top: Path) -> dict[str, str]:
    """Return level of ``trial_type`` → its HED tags, from the sidecars that apply to a file; nearer ones win."""
    own = set(file.name.removesuffix(".tsv").split("_"))
    tags: dict[str, str] = {}
    # By BIDS's rule of inheritance: sidecars of the folders above, whose entities are all in the file's name.
    folders = [folder for folder in (file.parent, *file.parents) if folder == top or top in folder.parents]
    for folder in reversed(folders or [file.parent]):
        for sidecar in sorted(folder.glob("*events.json")):
            if set(sidecar.name.removesuffix(".json").split("_")) <= own:
                levels = _json(sidecar).get("trial_type", {})
                hed = levels.get("HED", {}) if isinstance(levels, Mapping) else {}
                tags |= {str(k): normalised(str(v)) for k, v in hed.items()} if isinstance(hed, Mapping) else {}
    return tags


def _json(path: Path) -> Mapping[str, Any]:
    try:
        data = s3harness.parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise s3harness.DatasetError(f"{path.name} is no JSON: {error}; correct it") from error
    return data if isinstance(data, Mapping) else {}


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeError, csv.Error) as error:
        raise s3harness.DatasetError(f"{path.name} cannot be read: {error}; save it as UTF-8, with tabs") from error
    if rows and path.name.endswith("_events.tsv") and not {"onset", "duration"} <= rows[0].keys():
        raise s3harness.DatasetError(f"{path.name}:1: no column onset or duration; BIDS needs both")
    return [{k: "" if v in (None, NA) else v for k, v in row.items() if k is not None} for row in rows]


def _write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # BIDS tables have no quotes, so that a cell can have no tab and no line end.
    lines = ("\t".join(_BLANK.sub(" ", cell) for cell in row) for row in (header, *rows))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_json(path: Path, data: Mapping[str, object]) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
