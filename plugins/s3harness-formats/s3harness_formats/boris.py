"""BORIS projects (``.boris``), one with an observation a recording, and the event tables that BORIS exports.

A source is a subject, a sign with an interval a state event, a sign with one time a point event (``tonic (onset)``,
``tonic (end)``); the side is a modifier, and certainty and note are in the comment. BORIS pairs the starts and stops of
one sign of one subject in turn, so that overlapping ones go to a further subject, ``truth 2``. Statements without a
time are lines of the observation's description.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import s3harness
from s3harness_formats.labels import (
    LabelMeanings,
    ReadStatements,
    apply_details,
    details,
    is_timed,
    lanes,
    not_to_the_millisecond,
    parse_details,
    statement_text,
)

VERSION = "7.0"
"""Version of the format of a project, as BORIS 7 and 8 write it."""
FILE = "annotations.boris"
STATE, POINT = "State event", "Point event"
ONSET, END = " (onset)", " (end)"
OVERLAPS = "overlaps of "
"""Beginning of the description of a further subject of a source."""
NO_SUBJECT = "annotator"
"""Source of events without a subject."""
_ZERO_DATE = "1970-01-01T00:00:00"


def export_boris(annotations: s3harness.AnnotationSet, out: Path) -> list[str]:
    """Write one project, ``annotations.boris``, with all recordings."""
    subjects = dict.fromkeys(annotations.sources, "")
    observations = {one.id: _observation(one, subjects) for one in annotations.recordings}
    project = {
        "time_format": "hh:mm:ss",
        "project_date": _ZERO_DATE,
        "project_name": annotations.name,
        "project_description": "",
        "project_format_version": VERSION,
        "subjects_conf": {
            str(n): {"key": "", "name": name, "description": f"{OVERLAPS}{base}" if base else ""}
            for n, (name, base) in enumerate(subjects.items())
        },
        "behaviors_conf": {str(n): behaviour for n, behaviour in enumerate(_behaviours(annotations.signs))},
        "observations": observations,
        "behavioral_categories": [],
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    s3harness.write_json(out / FILE, project)
    return not_to_the_millisecond(annotations)


def read_boris(path: Path, labels: LabelMeanings) -> ReadStatements:
    """Read a project, or a table of events that BORIS exported; raises :class:`DatasetError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise s3harness.DatasetError(f"{path.name} cannot be read: {error}; save it with BORIS again") from error
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _read_table(path.name, text, labels)
    try:
        project = s3harness.parse_json(text)
        observations = _mapping(_mapping(project).get("observations"))
        subjects = _subjects(_mapping(_mapping(project).get("subjects_conf") or {}))
    except ValueError as error:
        raise s3harness.DatasetError(f"{path.name} is no BORIS project: {error}; save it with BORIS again") from error
    read = ReadStatements()
    for name, observation in observations.items():
        try:
            read.recordings.append(_recording(str(name), _mapping(observation), labels, subjects, read))
        except (ValueError, TypeError, IndexError, KeyError) as error:
            message = f"{path.name}: observation {name!r} is damaged: {error}; open it in BORIS and save it again"
            raise s3harness.DatasetError(message) from error
    return read


def _behaviours(signs: Mapping[str, str]) -> Iterator[dict[str, object]]:
    side = {"name": "side", "description": "the patient's own side", "type": 0, "values": ["left", "right", "both"]}
    for name, title in signs.items():
        kinds = ((name, STATE, title), (name + ONSET, POINT, f"{title}: begins"), (name + END, POINT, f"{title}: ends"))
        for code, kind, description in kinds:
            yield {
                "type": kind,
                "key": "",
                "code": code,
                "description": description,
                "color": "",
                "category": "",
                "modifiers": {"0": side},
                "excluded": "",
                "coding map": "",
            }


def _observation(recording: s3harness.Recording, subjects: dict[str, str]) -> dict[str, Any]:
    events: list[list[object]] = []
    remarks: list[str] = []
    for source, statements in recording.statements.items():
        timed = [one for one in statements if is_timed(one)]
        for sign in dict.fromkeys(one.sign for one in timed):
            for number, row in enumerate(lanes(one for one in timed if one.sign == sign), start=1):
                subject = source if number == 1 else f"{source} {number}"
                subjects.setdefault(subject, source)
                events += [event for one in row for event in _events(one, subject)]
        remarks += [
            f"{source}: {statement_text(one, omit=('start', 'end'))}" for one in statements if not is_timed(one)
        ]
    # sorted is stable: of one moment, the stop of an event stays before the start of the next.
    ordered = sorted(events, key=lambda event: float(str(event[0])))
    file = recording.file
    return {
        "file": {"1": [file] if file else [], **{str(n): [] for n in range(2, 9)}},
        "type": "MEDIA",
        "date": _ZERO_DATE,
        "description": "\n".join(remarks),
        "time offset": 0.0,
        "events": ordered,
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "close_behaviors_between_videos": False,
        "media_info": {"length": {file: recording.duration_s} if file and recording.duration_s else {}},
    }


def _events(one: s3harness.SignStatement, subject: str) -> list[list[object]]:
    """Return the events of a statement: time, subject, behaviour, modifiers, comment, frame."""
    comment, side = details(one, omit=("side", "start", "end")), one.side or "None"
    if one.start_s is None:
        return [[one.end_s, subject, one.sign + END, side, comment, "NA"]]
    if one.end_s is None:
        return [[one.start_s, subject, one.sign + ONSET, side, comment, "NA"]]
    start = [one.start_s, subject, one.sign, side, comment, "NA"]
    return [start, [one.end_s, subject, one.sign, side, "", "NA"]]


@dataclass(frozen=True, slots=True)
class _Event:
    """One event of BORIS; ``kind`` is start, stop, point, or empty where the order tells."""

    time_s: float
    subject: str
    code: str
    modifiers: str
    comment: str
    kind: str = ""


def _recording(
    name: str,
    observation: Mapping[str, Any],
    labels: LabelMeanings,
    subjects: Mapping[str, str],
    read: ReadStatements,
) -> s3harness.Recording:
    statements: dict[str, list[s3harness.SignStatement]] = {}
    for line in str(observation.get("description", "")).splitlines():
        source, separator, label = line.partition(": ")
        # Other lines of a description are the user's own words.
        if separator and (one := labels.statement(label)):
            statements.setdefault(source, []).append(one)
    offset = float(observation.get("time offset") or 0)
    events = [_event(row, offset) for row in observation.get("events", [])]
    _pair(events, labels, statements, read)
    for further, source in subjects.items():
        statements.setdefault(source, []).extend(statements.pop(further, []))
    media = _mapping(observation.get("media_info") or {}).get("length") or {}
    file = next((path for paths in _mapping(observation.get("file") or {}).values() for path in paths), "")
    return s3harness.Recording(
        id=name, file=str(file), duration_s=next(iter(media.values()), None), statements=_ordered(statements)
    )


def _subjects(subjects: Mapping[str, Any]) -> dict[str, str]:
    """Return further subject → the source whose overlaps it holds."""
    named = {str(one.get("name")): str(one.get("description") or "") for one in map(_mapping, subjects.values())}
    return {name: text.removeprefix(OVERLAPS) for name, text in named.items() if text.startswith(OVERLAPS)}


def _event(row: Sequence[Any], offset: float) -> _Event:
    time, subject, code, modifiers, comment = row[:5]
    return _Event(float(time) + offset, str(subject), str(code), str(modifiers), str(comment))


def _pair(
    events: Sequence[_Event],
    labels: LabelMeanings,
    statements: dict[str, list[s3harness.SignStatement]],
    read: ReadStatements,
) -> None:
    """Put starts and stops together, in turn for each subject, behaviour and modifiers, as BORIS does."""
    pending: dict[tuple[str, str, str], tuple[_Event, s3harness.SignStatement]] = {}
    for event in events:
        code, _, edge = event.code.partition(" (")
        edge = edge if f" ({edge}" in (ONSET, END) else ""
        one = read.statement(labels, code if edge else event.code)
        one = apply_details(_with_modifiers(one, event.modifiers), parse_details(event.comment))
        if event.comment and not parse_details(event.comment):
            one = apply_details(one, {"note": event.comment})
        source = event.subject or NO_SUBJECT
        key = (source, event.code, event.modifiers)
        if edge or event.kind == "point":
            is_end = f" ({edge}" == END
            point = replace(one, end_s=event.time_s) if is_end else replace(one, start_s=event.time_s)
            statements.setdefault(source, []).append(point)
        elif key in pending:
            _, begun = pending.pop(key)
            statements.setdefault(source, []).append(replace(begun, end_s=event.time_s))
        else:
            pending[key] = (event, replace(one, start_s=event.time_s))
    for event, begun in pending.values():
        # A state that never stops, or a point event of a project of another's.
        statements.setdefault(event.subject or NO_SUBJECT, []).append(begun)


def _with_modifiers(one: s3harness.SignStatement, modifiers: str) -> s3harness.SignStatement:
    words = [word for word in modifiers.split("|") if word and word != "None"]
    sides = [word.lower() for word in words if word.lower() in ("left", "right", "both")]
    note = ", ".join(word for word in words if word.lower() not in sides)
    return apply_details(one, {**({"side": sides[0]} if sides else {}), **({"note": note} if note else {})})


def _read_table(name: str, text: str, labels: LabelMeanings) -> ReadStatements:
    """Read a table of events, tabular or aggregated, as BORIS 7 and 8 export them."""
    delimiter = max(("\t", ",", ";"), key=text[:2000].count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    columns = {"Observation id", "Behavior"}
    header = set(rows[0]) if rows else set()
    times = {"Time"} & header or {"Start (s)", "Stop (s)"} & header
    if not columns <= header or not times:
        missing = ", ".join(sorted(columns - header)) or "Time, or Start (s) and Stop (s)"
        raise s3harness.DatasetError(f"{name}: no column {missing}; export tabular or aggregated events from BORIS")
    read = ReadStatements()
    by_observation: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_observation.setdefault(row["Observation id"], []).append(row)
    for observation, own in by_observation.items():
        statements: dict[str, list[s3harness.SignStatement]] = {}
        try:
            events = [event for row in own for event in _events_of_row(row)]
        except ValueError as error:
            raise s3harness.DatasetError(f"{name}: observation {observation!r}: {error}") from error
        _pair(events, labels, statements, read)
        file = own[0].get("Media file name") or own[0].get("Media file") or own[0].get("Source") or ""
        length = Counter(row.get("Media duration (s)") or row.get("Total length") or "" for row in own)
        duration = next((float(text) for text in length if text.replace(".", "").isdigit()), None)
        read.recordings.append(
            s3harness.Recording(id=observation, file=file, duration_s=duration, statements=_ordered(statements))
        )
    return read


def _events_of_row(row: Mapping[str, str]) -> Iterator[_Event]:
    comment = row.get("Comment") or row.get("Comment start") or ""
    modifiers = "|".join(value for key, value in row.items() if key and key.startswith("Modifier") and value)
    subject = row.get("Subject") or ""
    subject = "" if subject == "No focal subject" else subject
    if "Time" in row:
        kind = "point" if "POINT" in (row.get("Behavior type") or row.get("Status") or "").upper() else ""
        yield _Event(float(row["Time"]), subject, row["Behavior"], modifiers, comment, kind)
        return
    start, stop = row["Start (s)"], row["Stop (s)"]
    kind = "point" if "POINT" in (row.get("Behavior type") or "").upper() else ""
    yield _Event(float(start), subject, row["Behavior"], modifiers, comment, kind)
    if not kind:
        yield _Event(float(stop), subject, row["Behavior"], modifiers, "")


def _ordered(
    statements: Mapping[str, list[s3harness.SignStatement]],
) -> dict[str, tuple[s3harness.SignStatement, ...]]:
    return {source: tuple(of_source) for source, of_source in statements.items() if of_source}


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a mapping is missing")
    return value
