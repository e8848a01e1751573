"""``data mapping``: the columns and words of a hospital's table are understood, and nothing is guessed in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from s3harness.cli import cli
from s3harness.dataset.drafting.signs import understand_diagnosis, understand_sign
from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import source_names
from s3harness.errors import UsageError
from s3harness.types import Video
from tests.dataset.hospital_tables import SIGNS, TABLES, WORDS, Event, events, words

TOLERANCE_S = 1.0
"""Recorders' clocks and MM:SS have whole seconds."""


def _data(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["data", *map(str, arguments)])


def _imported(table: Path, **options: object) -> Path:
    """Draft a mapping, confirm it unread, and import."""
    out = table.parent / "out"
    drafted = json.loads(_data("mapping", table, "--out", table.parent / "mapping.yaml", "--json").stdout)
    further = [part for key, value in options.items() for part in (f"--{key}", value)]
    confirmed = ("--mapping", table.parent / "mapping.yaml", "--confirmed", drafted["code"])
    result = _data("import", table, *confirmed, "--out", out, *further)
    assert result.exit_code == 0, result.exception
    return out


@pytest.mark.parametrize("table", TABLES)
def test_every_cell_of_a_table_is_understood_by_confirming_alone(tmp_path, table):
    truth = events(list(TABLES).index(table))
    out = _imported(TABLES[table](tmp_path, truth))
    videos = {source_names(out)[video.id]: video for video in load_dataset(out).videos}
    wrong = [
        difference
        for number, event in enumerate(truth)
        for difference in _differences(videos.get(event.file) or videos[f"{event.file}#{1 + number // 4}"], event)
    ]
    assert wrong == []


def _differences(video: Video, event: Event) -> list[str]:
    """Return what an imported video has that its truth has not; a table may lack times, and lists no "no"."""
    cells = [("diagnosis", video.diagnosis, event.diagnosis)] if video.diagnosis is not None else []
    cells += [("onset", video.onset_s, event.onset)] if video.onset_s is not None else []
    for sign, (present, start, end, side) in event.signs.items():
        label = video.features[sign]
        # Nobody may have spoken to the patient where an answer is not listed.
        if (label.present, present, sign) != ("untested", "no", "verbal_responsiveness"):
            cells.append((sign, label.present, present))
        if label.start_s is not None:
            cells += [(f"{sign} start", label.start_s, start), (f"{sign} end", label.end_s, end)]
        if sign != "occur_during_sleep":
            cells.append((f"{sign} side", label.side or "", side))
    return [f"{event.file}: {what}: {got!r} is not {wanted!r}" for what, got, wanted in cells if not _same(got, wanted)]


def _same(got: object, wanted: object) -> bool:
    if isinstance(got, float) and isinstance(wanted, float):
        return abs(got - wanted) <= TOLERANCE_S
    return got == wanted


def test_times_that_are_not_of_the_day_are_exact(tmp_path):
    truth = events(4)
    out = _imported(TABLES["english, four columns a sign"](tmp_path, truth))
    videos = {source_names(out)[video.id]: video for video in load_dataset(out).videos}
    for event in truth:
        for sign, (_, start, end, _) in event.signs.items():
            label = videos[event.file].features[sign]
            assert (label.start_s, label.end_s) == (start, end)


@pytest.mark.parametrize("language", WORDS)
def test_the_signs_are_understood_in_every_language(language):
    meanings = {sign: understand_sign(word) for sign, word in words(language).items()}
    assert {sign: meaning.meaning for sign, meaning in meanings.items() if meaning} == {sign: sign for sign in SIGNS}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("nicht-epileptisch", "NES"),
        ("no epiléptica", "NES"),
        ("crise non épileptique psychogène", "NES"),
        ("dissoziativer Anfall", "NES"),
        ("fokale Epilepsie", "ES"),
        ("epilettica", "ES"),
        ("F44.5", "NES"),
        ("unklar", "unknown"),
    ],
)
def test_diagnoses_are_understood(text, meaning):
    assert understand_diagnosis(text).meaning == meaning


def test_a_side_within_the_name_of_a_sign_is_its_side():
    assert (understand_sign("Kopfwendung nach links").meaning, understand_sign("Kopfwendung nach links").side) == (
        "head_turning",
        "left",
    )


def test_a_word_that_is_not_wholly_understood_is_to_be_confirmed(tmp_path):
    table = tmp_path / "ward.csv"
    table.write_text("video,patient,sign,start\na.mp4,one,tonic,1\na.mp4,one,tonic quibbling,2\na.mp4,one,quibble,3\n")
    findings = json.loads(_data("mapping", table, "--out", tmp_path / "m.yaml", "--json").stdout)["findings"]
    of_words = {one["word"]: (one["meaning"], one["status"]) for one in findings}
    assert of_words["tonic"] == ("tonic", "understood")
    assert of_words["tonic quibbling"] == ("tonic", "confirm")
    assert of_words["quibble"] == ("ignore", "not understood")
    text = (tmp_path / "m.yaml").read_text()
    assert "quibble: ignore  # not understood" in text
    assert '"tonic quibbling": tonic  # confirm' in text


def test_an_unconfirmed_draft_is_refused_and_a_changed_one_needs_its_own_code(tmp_path):
    table = TABLES["italian, yes and no in tabs"](tmp_path, events(1))
    mapping = tmp_path / "m.yaml"
    code = json.loads(_data("mapping", table, "--out", mapping, "--json").stdout)["code"]
    refused = _data("import", table, "--mapping", mapping, "--out", tmp_path / "out")
    assert isinstance(refused.exception, UsageError)
    assert "m.yaml is a draft that nobody has confirmed" in str(refused.exception)
    mapping.write_text(mapping.read_text().replace("arm_flexion", "arm_straightening", 1))
    changed = _data("import", table, "--mapping", mapping, "--confirmed", code, "--out", tmp_path / "out")
    assert isinstance(changed.exception, UsageError)
    mapping.write_text(mapping.read_text().replace("arm_straightening", "arm_flexion", 1).replace("false", "true", 1))
    assert _data("import", table, "--mapping", mapping, "--out", tmp_path / "out").exit_code == 0


def test_the_error_of_a_workbook_names_file_sheet_and_row(tmp_path):
    table = TABLES["french, merged cells in xlsx"](tmp_path, events(3))
    mapping = tmp_path / "m.yaml"
    code = json.loads(_data("mapping", table, "--out", mapping, "--json").stdout)["code"]
    book = openpyxl.load_workbook(table)
    book.active["H5"] = "soon"
    book.save(table)
    result = _data("import", table, "--mapping", mapping, "--confirmed", code, "--out", tmp_path / "out")
    assert "crises.xlsx, sheet Sheet:5: 'soon' is not a time" in str(result.exception)


def test_every_camera_of_an_event_has_what_a_row_says_of_it(tmp_path):
    table = tmp_path / "cameras.csv"
    table.write_text(
        "Ereignis;Patient;Datei;Kamera;Diagnose;Kopfwendung\n"
        "1;one;a1.mp4;1;PNEA;ja\n1;one;a2.mp4;2;;\n2;two;b1.mp4;1;epileptisch;nein\n2;two;b2.mp4;2;;\n"
    )
    out = _imported(table)
    labels = {
        source_names(out)[v.id]: (v.diagnosis, v.features["head_turning"].present) for v in load_dataset(out).videos
    }
    assert labels == {
        "a1.mp4": ("NES", "yes"),
        "a2.mp4": ("NES", "yes"),
        "b1.mp4": ("ES", "no"),
        "b2.mp4": ("ES", "no"),
    }


def test_columns_of_people_are_left_out_and_a_table_without_patients_says_what_that_means(tmp_path):
    table = tmp_path / "ward.csv"
    table.write_text("Datei;Geburtsdatum;Untersucher;tonisch\na.mp4;01.02.1980;Roe;ja\nb.mp4;03.04.1990;Poe;nein\n")
    findings = json.loads(_data("mapping", table, "--out", tmp_path / "m.yaml", "--json").stdout)["findings"]
    left_out = [one["word"] for one in findings if one["meaning"] == "left out"]
    assert left_out == ["Geburtsdatum", "Untersucher"]
    assert any(one["why"] == "no column tells patients apart" for one in findings)


def test_empty_cells_of_a_table_that_marks_only_what_occurred_are_absent_signs_if_confirmed(tmp_path):
    table = tmp_path / "ward.csv"
    table.write_text("video,patient,head turning,tonic,answers\na.mp4,one,x,,x\nb.mp4,two,,x,\n")
    out = _imported(table)
    labels = {source_names(out)[v.id]: {n: s.present for n, s in v.features.items()} for v in load_dataset(out).videos}
    assert labels == {
        "a.mp4": {"head_turning": "yes", "tonic": "no", "verbal_responsiveness": "yes"},
        "b.mp4": {"head_turning": "no", "tonic": "yes", "verbal_responsiveness": "untested"},
    }


def test_a_longer_a_shuffled_and_a_corrected_table_meet_the_first(tmp_path):
    truth = events(2)
    make = TABLES["italian, yes and no in tabs"]
    first = _imported(_in(tmp_path / "first", make, truth))
    ids = source_names(first)
    truth[3].signs["tonic"] = ("no" if truth[3].signs["tonic"][0] == "yes" else "yes", None, None, "")
    for name, changed in (
        ("longer", [*truth, *events(9, ".mkv", 1)]),
        ("shorter", truth[:2] + truth[3:]),
        ("other", truth[::-1]),
    ):
        again = source_names(_imported(_in(tmp_path / name, make, changed), **{"ids-of": first}))
        assert {ids.get(video_id, source) for video_id, source in again.items()} == {e.file for e in changed}
        assert len(again.keys() & ids.keys()) == len({e.file for e in changed} & set(ids.values()))


def test_agreement_of_two_drafted_tables_is_that_of_a_hand_computation(tmp_path):
    truth, other = events(5), events(5)[1:]
    for event in other[:3]:
        event.signs["tonic"] = ("no" if event.signs["tonic"][0] == "yes" else "yes", None, None, "")
    make = TABLES["italian, yes and no in tabs"]
    one = _imported(_in(tmp_path / "one", make, truth))
    two = _imported(_in(tmp_path / "two", make, other))
    result = json.loads(_data("agreement", one, two, "--json").stdout)
    (tonic,) = [q for q in result["questions"] if q["question"] == "tonic"]
    answers = [(a.signs["tonic"][0], b.signs["tonic"][0]) for a, b in zip(truth[1:], other, strict=True)]
    observed = sum(a == b for a, b in answers) / len(answers)
    shares = [sum(pair[n] == "yes" for pair in answers) / len(answers) for n in (0, 1)]
    chance = shares[0] * shares[1] + (1 - shares[0]) * (1 - shares[1])
    assert (observed, tonic["n"]) == (4 / 7, 7)
    assert tonic["cohen"]["value"] == pytest.approx((observed - chance) / (1 - chance))
    assert [len(videos) for videos in result["left_out"].values()] == [1, 0]


def _in(folder: Path, make: Callable[[Path, list[Event]], Path], truth: list[Event]) -> Path:
    folder.mkdir()
    return make(folder, truth)


def test_times_of_day_without_seconds_are_no_minutes_of_the_recording(tmp_path):
    table = tmp_path / "ward.csv"
    table.write_text(
        "Datei;Patient;Aufnahmebeginn;Anfallsbeginn;tonisch\na.mp4;one;23:58;00:03;ja\nb.mp4;two;10:00;10:02;nein\n"
    )
    out = _imported(table)
    assert {source_names(out)[v.id]: v.onset_s for v in load_dataset(out).videos} == {"a.mp4": 300, "b.mp4": 120}


def test_times_of_the_day_in_a_recording_of_a_night_are_to_be_confirmed(tmp_path):
    table = tmp_path / "ward.csv"
    table.write_text("Datei;Patient;Aufnahmebeginn;Anfallsbeginn;tonisch\na.mp4;one;20:00:00;03:12:10;ja\n")
    drafted = json.loads(_data("mapping", table, "--out", tmp_path / "drafted.yaml", "--json").stdout)
    assert "confirm" in [finding["status"] for finding in drafted["findings"] if finding["what"] == "times"]
    assert [video.onset_s for video in load_dataset(_imported(table)).videos] == [7 * 3600 + 12 * 60 + 10]


UPPER = ["Datei", "Patient", "Kopfversion", "", "", "tonisch", "", "", ""]
LOWER = ["", "", "ja/nein", "von", "bis", "ja/nein", "von", "bis", "Bemerkung"]
ROWS = (
    ["a.mp4", "P1", "ja", "00:05", "00:09", "nein", "", "", ""],
    ["b.mp4", "P2", "nein", "", "", "ja", "00:11", "00:20", "ruhig"],
)


@pytest.mark.parametrize("form", ["csv", "names below", "xlsx", "title"])
def test_names_of_groups_above_the_header_belong_to_its_columns(tmp_path, form):
    table = tmp_path / ("ward.xlsx" if form == "xlsx" else "ward.csv")
    if form == "xlsx":
        book = openpyxl.Workbook()
        for row in (UPPER, LOWER, *ROWS):
            book.active.append(row)
        for cells in ("A1:A2", "B1:B2", "C1:E1", "F1:H1"):
            book.active.merge_cells(cells)
        book.save(table)
    else:
        # The names of single columns stand above or below; a title may stand above both.
        below = [["", "", *UPPER[2:]], ["Datei", "Patient", *LOWER[2:]]]
        rows = [*(below if form == "names below" else (UPPER, LOWER)), *ROWS]
        rows = [["Station 7", *[""] * 8], *rows] if form == "title" else rows
        table.write_text("".join(";".join(row) + "\n" for row in rows))
    out = _imported(table)
    signs = {
        source_names(out)[v.id]: {n: (f.present, f.start_s, f.end_s) for n, f in v.features.items()}
        for v in load_dataset(out).videos
    }
    assert signs["a.mp4"] == {"head_turning": ("yes", 5, 9), "tonic": ("no", None, None)}
    assert signs["b.mp4"] == {"head_turning": ("no", None, None), "tonic": ("yes", 11, 20)}


def test_a_row_of_data_under_a_header_with_an_unnamed_column_stays_data(tmp_path):
    table = tmp_path / "ward.csv"
    rows = ("Datei;Patient;tonisch;klonisch;", "a.mp4;P1;ja;nein;ja", "b.mp4;P2;nein;ja;ja")
    table.write_text("\n".join(rows) + "\n")
    names = source_names(out := _imported(table))
    videos = {names[video.id]: video.features for video in load_dataset(out).videos}
    assert {name: (v["tonic"].present, v["clonic"].present) for name, v in videos.items()} == {
        "a.mp4": ("yes", "no"),
        "b.mp4": ("no", "yes"),
    }


def test_a_list_of_signs_of_the_users_own_is_understood_by_its_names(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(
        "schema: s3harness/features/v1\nfeatures:\n"
        "  - {name: piloerection, title: Piloerection, synonyms: [goose bumps]}\n  - {name: hiccups, title: Hiccups}\n"
    )
    table = tmp_path / "ward.csv"
    table.write_text("video,patient,sign,start\na.mp4,one,piloerection,1\na.mp4,one,goose bumps,2\na.mp4,one,tonic,3\n")
    # In a process of its own, for which the list is chosen.
    arguments = ("data", "mapping", table, "--out", tmp_path / "m.yaml", "--features", own, "--json")
    command = [sys.executable, "-m", "s3harness", *map(str, arguments)]
    drafted = subprocess.run(command, capture_output=True, text=True, check=True)
    meanings = {one["word"]: one["meaning"] for one in json.loads(drafted.stdout)["findings"] if one["what"] == "sign"}
    assert meanings == {"piloerection": "piloerection", "goose bumps": "piloerection", "tonic": "ignore"}
