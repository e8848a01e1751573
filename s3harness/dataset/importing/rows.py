"""Rows of a table to videos and labels, by a mapping: contradictions are problems, each with its row."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath, PureWindowsPath
from typing import Any

from s3harness.dataset.identity import source_key
from s3harness.dataset.importing.mapping import IGNORE, SEIZURE, UNKNOWN
from s3harness.dataset.importing.source_table import SourceTable
from s3harness.dataset.importing.times import RecordingStart, clock_of_minutes, moment, seconds_in_recording
from s3harness.dataset.importing.words import (
    CERTAINTIES,
    SIDES,
    SignMeaning,
    diagnoses,
    meaning_of,
    present_cell,
    sign_of,
    spellings,
)
from s3harness.dataset.tables import Row
from s3harness.errors import suggest
from s3harness.specs.features import vocabulary

NO_PATIENT = (
    "nothing tells the patients apart: every file counts as a patient of its own, and intervals are too narrow where "
    "that is wrong"
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


@dataclass(kw_only=True)
class Imported:
    """Tables under construction, by the source's own name of a video; ``notes`` say what was left out or changed."""

    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    features: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_rows(table: SourceTable, mapping: Mapping[str, Any], *, notes_unknown: bool = False) -> Imported:
    """Return videos and labels of a table. With ``notes_unknown``, signs of no known name are notes, not problems."""
    imported = Imported(problems=[str(problem) for problem in table.problems])
    if "patient" not in mapping:
        imported.notes.append(NO_PATIENT)
    rows = [*_chosen(_filled(table.rows, mapping.get("fill_down", ())), mapping)]
    reader = _RowReader(mapping, imported, _files_of_several_events(rows, mapping), notes_unknown)
    for row in rows:
        try:
            reader.read(row)
        except ValueError as error:
            imported.problems.append(str(row.problem("", str(error))))
    _share_between_cameras(imported, mapping)
    if mapping.get("unlisted") == "no":
        _add_absent(imported, mapping.get("unlisted_untested", ()))
    return imported


def _filled(rows: list[Row], fill_down: list[str]) -> Iterator[Row]:
    """Yield the rows, empty cells of some columns filled with those above."""
    above: dict[str, str] = {}
    for row in rows:
        above |= {column: row[column] for column in fill_down if row[column]}
        yield Row(row.file, row.number, {**row.cells, **above}) if above else row


def _chosen(rows: Iterator[Row], mapping: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of the cameras that are kept."""
    camera = mapping.get("camera", {})
    keep = {str(value).lower() for value in camera.get("keep", ())}
    return (row for row in rows if not keep or row[camera["column"]].lower() in keep)


def _files_of_several_events(rows: list[Row], mapping: Mapping[str, Any]) -> set[str]:
    events: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows if "event" in mapping else ():
        events[file_name(row[mapping["video"]])].add(row[mapping["event"]])
    return {name for name, of_file in events.items() if len(of_file) > 1}


def file_name(cell: str) -> str:
    """Return the name of a video file in a cell; of a path on a Windows drive, its last part."""
    name = source_key(cell)
    # Paths of a recorder's drive lead nowhere here, and its folders are in the way of the file's name.
    return PureWindowsPath(name).name if _DRIVE.match(name) else name


@dataclass
class _RowReader:
    """Reading of one row after the other into the tables under construction."""

    mapping: Mapping[str, Any]
    imported: Imported
    with_several_events: set[str]
    notes_unknown: bool

    def read(self, row: Row) -> None:
        mapping = self.mapping
        name = file_name(row[mapping["video"]])
        patient = source_key(row[mapping["patient"]]) if "patient" in mapping else name
        if not name or not patient:
            raise ValueError("the video or the patient is empty")
        # A table may come from elsewhere: its names must not reach files outside of the folder.
        if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            raise ValueError(f"{name!r} is not a file in the folder of the videos")
        event = source_key(row[mapping["event"]]) if "event" in mapping else ""
        key = f"{name}#{event}" if name in self.with_several_events else name
        video = self.imported.videos.setdefault(key, {"file": name, "event": event})
        agree(video, "patient", patient)
        agree(video, "part", self._cell(row, mapping, "part"))
        start = self._recording_start(row)
        for fact in ("onset", "offset"):
            agree(video, f"{fact}_s", self._time(self._cell(row, mapping, fact), start))
        agree(video, "split", self._cell(row, mapping, "split"))
        agree(video, "onset_body_part", _body_part(self._cell(row, mapping, "onset_body_part")))
        if "diagnosis" in mapping:
            diagnosis = meaning_of(row[mapping["diagnosis"]["column"]], diagnoses(mapping), "diagnosis.values")
            agree(video, "diagnosis", None if diagnosis == UNKNOWN else diagnosis)
        agree(video, "report", self._cell(row, mapping, "report"))
        for meaning, columns in self._signs(row):
            self._add(row, key, meaning, columns, start)

    def _add(
        self, row: Row, key: str, meaning: SignMeaning, columns: Mapping[str, str], start: RecordingStart | None
    ) -> None:
        label = self._label(row, columns, start, meaning)
        if meaning.sign == IGNORE:
            self.imported.notes.append(str(row.problem("", f"{row[columns['column']]!r} is left out")))
        elif meaning.sign == SEIZURE:
            agree(self.imported.videos[key], "onset_s", label["start_s"])
            agree(self.imported.videos[key], "offset_s", label["end_s"])
        elif (key, meaning.sign) not in self.imported.features:
            self.imported.features[key, meaning.sign] = label
        elif self.mapping.get("repeats") == "join":
            self.imported.features[key, meaning.sign] = joined_labels(self.imported.features[key, meaning.sign], label)
            note = f"{meaning.sign} of this video stands in several rows; its interval goes from the first to the last"
            self.imported.notes.append(str(row.problem("", note)))
        else:
            # Taking the last of two would hide a contradiction of the annotators.
            raise ValueError(f"{meaning.sign} of this video is given twice")

    def _signs(self, row: Row) -> Iterator[tuple[SignMeaning, Mapping[str, str]]]:
        """Yield the signs of a row, each with its columns."""
        for name, columns in self.mapping.get("features", {}).items():
            # An empty cell is untested, unless the table marks only what occurred.
            if row[columns["present"]] or self.mapping.get("unlisted") != "no":
                yield SignMeaning(name), columns
        word = row[self.mapping["sign"]["column"]] if "sign" in self.mapping else ""
        if not word:
            return
        try:
            yield sign_of(word, self.mapping["sign"].get("vocabulary", {})), self.mapping["sign"]
        except ValueError as error:
            if not self.notes_unknown:
                raise
            self.imported.notes.append(str(row.problem("", f"left out: {error}")))

    def _label(
        self, row: Row, columns: Mapping[str, str], start: RecordingStart | None, meaning: SignMeaning
    ) -> dict[str, Any]:
        mapping = self.mapping
        label = present_cell(self._cell(row, columns, "present"), mapping) if "present" in columns else {}
        own: dict[str, Any] = {
            "start_s": self._time(self._cell(row, columns, "start"), start),
            "end_s": self._time(self._cell(row, columns, "end"), start),
            "side": meaning_of(self._cell(row, columns, "side"), spellings(SIDES, mapping), "words"),
        }
        if "duration" in columns and own["start_s"] is not None and own["end_s"] is None:
            lasted = self._time(self._cell(row, columns, "duration"), None)
            own["end_s"] = None if lasted is None else own["start_s"] + lasted
        label |= {key: value for key, value in own.items() if value not in (None, "no_side") or key not in label}
        side = label["side"] if label["side"] not in (None, "no_side") else meaning.side or None
        present = meaning.present or label.get("present", "yes")
        certainty = meaning_of(self._cell(row, columns, "certainty"), spellings(CERTAINTIES, mapping), "words")
        justification = self._cell(row, columns, "justification")
        return label | {"present": present, "side": side, "justification": justification, "certainty": certainty}

    def _time(self, text: str, start: RecordingStart | None) -> float | None:
        return seconds_in_recording(text, start, self.mapping.get("date_order", "dmy"))

    def _recording_start(self, row: Row) -> RecordingStart | None:
        """Return the start of the recording by the clock, ``None`` if times of day are not mapped."""
        if "recording_start" not in self.mapping:
            return None
        order = self.mapping.get("date_order", "dmy")
        text = row[self.mapping["recording_start"]]
        day, clock = moment(text, order)
        in_minutes = clock is None
        clock = clock_of_minutes(text) if clock is None else clock
        if clock is None:
            raise ValueError(f"{text!r} is no start of a recording: write a time of day, H:MM:SS")
        day = day or moment(self._cell(row, self.mapping, "date"), order)[0]
        return RecordingStart(clock, day, in_minutes)

    @staticmethod
    def _cell(row: Row, columns: Mapping[str, Any], key: str) -> str:
        """The cell of a column that may not be mapped."""
        return row[columns[key]] if key in columns else ""


def agree(video: dict[str, Any], key: str, value: object) -> None:
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


def joined_labels(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return one label of two rows: from the first onset to the last end, and of both sides if these differ."""
    if "yes" in (one["present"], other["present"]) and one["present"] != other["present"]:
        return dict(one if one["present"] == "yes" else other)
    starts = [label["start_s"] for label in (one, other) if label["start_s"] is not None]
    ends = [label["end_s"] for label in (one, other) if label["end_s"] is not None]
    sides = {label["side"] for label in (one, other) if label["side"]}
    texts = dict.fromkeys(label["justification"] for label in (one, other) if label["justification"])
    return {
        **one,
        "start_s": min(starts, default=None),
        "end_s": max(ends, default=None),
        "side": "both" if len(sides) > 1 else next(iter(sides), None),
        "justification": "; ".join(texts),
        "certainty": one["certainty"] or other["certainty"],
    }


def _share_between_cameras(imported: Imported, mapping: Mapping[str, Any]) -> None:
    """Give every file of an event what the rows of its other files say: cameras record the same event."""
    if "camera" not in mapping or "event" not in mapping:
        return
    events: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, video in imported.videos.items():
        events[video["patient"], video["event"]].append(name)
    for names in events.values():
        shared = {k: v for name in names for k, v in imported.videos[name].items() if k != "file"}
        # Of a label and an empty cell, the label says something.
        labels = sorted(imported.features.items(), key=lambda item: item[1]["present"] != "untested")
        signs = {s: label for (name, s), label in labels if name in names}
        for name in names:
            imported.videos[name] = shared | imported.videos[name]
            for sign, label in signs.items():
                own = imported.features.get((name, sign))
                if own is None or own["present"] == "untested":
                    imported.features[name, sign] = dict(label)


def _add_absent(imported: Imported, needing_test: Collection[str]) -> None:
    """Add "no" for every sign that the table has of other videos: it lists only what occurred."""
    signs = {sign for _, sign in imported.features}
    # Nobody who was not spoken to could answer: an answer that is not listed may never have been asked for.
    absent = {"present": "no", "start_s": None, "end_s": None, "side": None, "justification": "", "certainty": None}
    untested = absent | {"present": "untested"}
    for name in imported.videos:
        for sign in sorted(signs):
            imported.features.setdefault((name, sign), dict(untested if sign in needing_test else absent))
