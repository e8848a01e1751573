"""``data import table``: a hospital's own annotations become a data set that holds, or nothing at all."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from s3harness.cli import cli, main
from s3harness.dataset.identity import opaque_ids
from s3harness.dataset.import_table import import_table
from s3harness.dataset.importing.times import seconds
from s3harness.dataset.load import load_dataset, opaque_id
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import DatasetError, SpecError, UsageError

WIDE_MAPPING = """\
schema: s3harness/mapping/v1
name: ward 7
version: "2024"
licence: internal
video: Datei
patient: Patient
split: Gruppe
onset: Beginn
offset: Ende
onset_body_part: Ort
report: Befund
diagnosis: {column: Art, values: {epileptisch: ES, dissoziativ: NES}}
features:
  tonic: {present: tonisch, start: tonisch von, end: tonisch bis, side: Seite, justification: Notiz}
  ictal_vocalization: {present: Laut}
words: {"yes": [ja], "no": [nein], untested: [unklar]}
"""
WIDE = """\
Datei,Patient,Gruppe,Beginn,Ende,Ort,Befund,Art,tonisch,tonisch von,tonisch bis,Seite,Notiz,Laut
Müller_2021-05-13.mp4,Müller,train,0:01,3,Left Arm,"Der Arm, steif",epileptisch,ja,0:00:01,2.5,L,steif,nein
sub/Meier_2020.MP4,Meier,test,1,00:03,,,NES,nein,,,,,unklar
nofile.2019.Schulz,Schulz,test,,,,,,YES,1,2,both,,
"""
LONG_MAPPING = """\
schema: s3harness/mapping/v1
video: clip
patient: who
sign: {column: sign, vocabulary: {stiff: tonic, "arm up": arm_movement}, start: from, end: to, side: side}
"""
LONG = """\
clip,who,sign,from,to,side
a.mp4,one,stiff,1,2,left
a.mp4,one,Head turning,0:02,0:03,r
a.mp4,one,arm up,1,2,
b.mp4,two,clonic,1,3,
c.mp4,two,,,,
"""


@pytest.fixture
def ward(tmp_path: Path, video_file: Path) -> Path:
    """A folder with two tables, their mappings and the videos they speak of."""
    folder = tmp_path / "ward"
    (folder / "sub").mkdir(parents=True)
    for name in ("Müller_2021-05-13.mp4", "sub/Meier_2020.MP4", "nofile.2019.Schulz", "a.mp4", "b.mp4", "c.mp4"):
        (folder / name).write_bytes(video_file.read_bytes())
    for name, mapping, table in (("wide", WIDE_MAPPING, WIDE), ("long", LONG_MAPPING, LONG)):
        (folder / f"{name}.yaml").write_text(mapping, encoding="utf-8")
        (folder / f"{name}.csv").write_text(table, encoding="utf-8")
    return folder


def _bring(ward: Path, name: str, **options: object) -> Path:
    out = ward.parent / "out"
    import_table(ward / f"{name}.csv", out, mapping=ward / f"{name}.yaml", videos=ward, **options)
    return out


def _sources(out: Path) -> dict[str, str]:
    with (out / "private" / "sources.csv").open(encoding="utf-8", newline="") as file:
        return {row["source"]: row["video_id"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("link", [False, True])
def test_a_table_with_a_row_per_video_becomes_a_data_set_that_holds(ward, link):
    out = _bring(ward, "wide", link=link)
    dataset, problems = validate_dataset(out)
    assert problems == []
    assert (dataset.name, dataset.version, dataset.licence) == ("ward 7", "2024", "internal")
    videos = {video.id: video for video in dataset.videos}
    first = videos[_sources(out)["Müller_2021-05-13.mp4"]]
    assert (first.onset_s, first.offset_s, first.onset_body_part) == (1.0, 3.0, "left arm")
    assert (first.diagnosis, first.split, first.report) == ("ES", "train", "Der Arm, steif")
    assert first.duration_s == pytest.approx(4.0, abs=0.1)
    tonic = first.features["tonic"]
    assert (tonic.present, tonic.start_s, tonic.end_s, tonic.side, tonic.justification) == (
        "yes",
        1,
        2.5,
        "left",
        "steif",
    )
    assert first.features["ictal_vocalization"].present == "no"
    second = videos[_sources(out)["sub/Meier_2020.MP4"]]
    assert (second.diagnosis, second.features["tonic"].present) == ("NES", "no")
    assert second.features["ictal_vocalization"].present == "untested"
    third = videos[_sources(out)["nofile.2019.Schulz"]]
    assert (third.diagnosis, third.features["ictal_vocalization"].present) == (None, "untested")
    assert third.features["tonic"].side == "both"


def test_a_table_with_a_row_per_sign_becomes_a_data_set_that_holds(ward):
    out = _bring(ward, "long")
    dataset, problems = validate_dataset(out)
    assert problems == []
    sources = _sources(out)
    signs = {
        name: {sign: (label.start_s, label.side) for sign, label in video.features.items()}
        for name, video_id in sources.items()
        for video in dataset.videos
        if video.id == video_id
    }
    assert signs == {
        "a.mp4": {"tonic": (1, "left"), "head_turning": (2, "right"), "arm_movement": (1, None)},
        "b.mp4": {"clonic": (1, None)},
        "c.mp4": {},
    }
    patients = {video.id: video.patient for video in dataset.videos}
    assert patients[sources["b.mp4"]] == patients[sources["c.mp4"]] != patients[sources["a.mp4"]]


def test_ids_are_opaque_and_the_originals_are_in_private_alone(ward):
    out = _bring(ward, "wide")
    for video in load_dataset(out).videos:
        assert opaque_id(video.id) == video.id
    words = ("Müller", "Meier", "Schulz", "2019", "2020", "2021")
    for path in out.rglob("*"):
        if "private" not in path.relative_to(out).parts:
            assert not any(word.lower() in path.name.lower() for word in words), path
            if path.suffix in (".csv", ".json"):
                assert not any(word in path.read_text(encoding="utf-8") for word in words), path
    assert set(_sources(out)) == {"Müller_2021-05-13.mp4", "sub/Meier_2020.MP4", "nofile.2019.Schulz"}
    assert (out / "private").stat().st_mode & 0o077 == 0


def test_an_id_depends_on_the_name_and_the_secret_and_not_on_what_else_is_listed(ward):
    whole = _sources(_bring(ward, "long"))
    first = ward.parent / "out"
    (ward / "long.csv").write_text("".join(line for line in LONG.splitlines(True) if not line.startswith("a.")))
    for name, options in (("same", {"ids_of": first}), ("other", {})):
        out = ward.parent / name
        import_table(ward / "long.csv", out, mapping=ward / "long.yaml", **options)
        shared = {source: video_id for source, video_id in whole.items() if source != "a.mp4"}
        assert (_sources(out) == shared) is (name == "same")
        patients = [{v.id: v.patient for v in load_dataset(d).videos} for d in (first, out)]
        assert (patients[1].items() <= patients[0].items()) is (name == "same")


def test_the_secret_is_for_its_owner_alone_and_a_data_set_without_one_is_named(ward):
    secret = _bring(ward, "long") / "private" / "secret"
    assert secret.stat().st_mode & 0o077 == 0
    secret.unlink()
    with pytest.raises(UsageError, match="out has no private/secret, without which the same ids"):
        import_table(ward / "long.csv", ward.parent / "new", mapping=ward / "long.yaml", ids_of=ward.parent / "out")
    assert not (ward.parent / "new").exists()


def test_two_annotators_with_one_video_missing_agree_on_the_rest(ward):
    """The second has no first video; matched by place in the table, every label would be compared with another's."""
    rows = {"clip,who,sign,from,to,side": "", "yes": "stiff", "no": "clonic"}
    table = [f"{n}.mp4,p{n},{rows['yes' if n % 2 else 'no']},1,2," for n in range(8)]
    for name, lines in (("first", table), ("second", table[1:])):
        (ward / f"{name}.csv").write_text("\n".join(["clip,who,sign,from,to,side", *lines]) + "\n")
        import_table(ward / f"{name}.csv", ward.parent / name, mapping=ward / "long.yaml")
    result = CliRunner().invoke(cli, ["data", "agreement", str(ward.parent / "first"), str(ward.parent / "second")])
    assert result.exit_code == 0
    output = result.stdout
    assert "7 videos of 7 patients in common" in output
    assert "another annotator lacks the video: 1 of first (" in output


def test_the_order_of_the_ids_is_not_that_of_the_table(ward):
    rows = "".join(f"{n:03d}.mp4,p{n:03d},,,,\n" for n in range(50))
    (ward / "long.csv").write_text("clip,who,sign,from,to,side\n" + rows)
    sources = _sources(_bring(ward, "long"))
    assert sorted(sources, key=sources.__getitem__) != sorted(sources)


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", None), ("utf-8-sig", None), ("cp1252", "cp1252"), ("utf-16", "utf-16")]
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_tables_are_read_in_their_encoding_and_with_their_delimiter(ward, encoding, said, delimiter):
    text = WIDE.replace(",", delimiter).replace("2.5", "2,5" if delimiter == ";" else "2.5").replace("\n", "\r\n")
    (ward / "wide.csv").write_bytes(text.encode(encoding))
    out = _bring(ward, "wide", **({"encoding": said} if said else {}))
    assert "Müller_2021-05-13.mp4" in _sources(out)
    assert any(v.features["tonic"].end_s == 2.5 for v in load_dataset(out).videos)


@pytest.mark.parametrize(("in_the_table", "on_the_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_file_is_found_however_the_disk_writes_its_accents(ward, in_the_table, on_the_disk):
    name = "Müller_2021-05-13.mp4"
    (ward / name).rename(ward / unicodedata.normalize(on_the_disk, name))
    (ward / "wide.csv").write_text(unicodedata.normalize(in_the_table, WIDE), encoding="utf-8")
    (ward / "wide.yaml").write_text(unicodedata.normalize(in_the_table, WIDE_MAPPING), encoding="utf-8")
    assert validate_dataset(_bring(ward, "wide"))[1] == []


@pytest.mark.parametrize("beginning", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_workbook_that_cannot_be_read_is_to_be_saved_in_another_form(ward, beginning):
    (ward / "wide.csv").write_bytes(beginning + bytes(range(256)))
    with pytest.raises(UsageError, match=r"wide\.csv is .* workbook .*save it as"):
        _bring(ward, "wide")


def test_a_video_file_that_is_missing_keeps_its_place_and_is_found_by_validation(ward):
    (ward / "b.mp4").unlink()
    (problem,) = validate_dataset(_bring(ward, "long"))[1]
    assert (problem.file, problem.column, problem.message) == ("videos.csv", "file", "the file is missing")


def test_without_a_folder_of_videos_only_the_annotations_come(ward):
    out = ward.parent / "out"
    assert import_table(ward / "wide.csv", out, mapping=ward / "wide.yaml") == 3
    assert all(video.path is None for video in load_dataset(out).videos)


# in the table: what is replaced by what; the row, and what must be said
WRONG_ROWS = {
    "an unknown word": ("ja,0:00:01", "jawohl,0:00:01", 2, "'jawohl' is none of yes, y"),
    "an unknown side": ("2.5,L", "2.5,oben", 2, "'oben' is none of left"),
    "an unknown diagnosis": (",NES,", ",PNES,", 3, "'PNES' is none of"),
    "an unknown body part": ("Left Arm", "Left Wing", 2, "did you mean left leg"),
    "no time": ("0:00:01", "one", 2, "write seconds, MM:SS or H:MM:SS"),
    "seconds beyond the minute": ("0:00:01", "0:00:75", 2, "up to 59"),
    "a negative time": ("test,1,00:03", "test,-1,00:03", 3, "'-1' is not a time"),
    "no video": ("sub/Meier_2020.MP4,", ",", 3, "the video or the patient is empty"),
    "no patient": (",Meier,", ",,", 3, "the video or the patient is empty"),
    "a path that leads out": ("sub/Meier", "../ward/sub/Meier", 3, "not a file in the folder"),
    "an absolute path": ("sub/Meier", "/etc/Meier", 3, "not a file in the folder"),
    "a cell too few": ("YES,1,2,both,,", "YES,1,2,both,", 4, "13 cells under 14 columns"),
    "a video of two patients": ("nofile.2019.Schulz,", "sub/Meier_2020.MP4,", 4, "differs from"),
}
WRONG_SIGNS = {
    "an unknown sign": ("Head turning", "Head turnin", 3, "did you mean head_turning"),
    "a sign twice": ("Head turning", "stiff", 3, "tonic of this video is given twice"),
}
CASES = [("wide", *case) for case in WRONG_ROWS.values()] + [("long", *case) for case in WRONG_SIGNS.values()]


@pytest.mark.parametrize(("name", "old", "new", "row", "message"), CASES, ids=[*WRONG_ROWS, *WRONG_SIGNS])
def test_a_row_that_cannot_be_understood_is_named_and_nothing_is_made(ward, name, old, new, row, message):
    text = (ward / f"{name}.csv").read_text(encoding="utf-8")
    assert old in text
    (ward / f"{name}.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    before = set(ward.parent.rglob("*"))
    with pytest.raises(DatasetError) as caught:
        _bring(ward, name)
    assert f"{name}.csv:{row}: " in str(caught.value)
    assert message in str(caught.value)
    assert set(ward.parent.rglob("*")) == before


WRONG_MAPPINGS = {
    "a column that is not there": (
        "tonisch von",
        "tonisch vom",
        14,
        "features.tonic.start",
        "did you mean tonisch von",
    ),
    "an unknown field": ("patient:", "patinet:", 6, "patinet", "did you mean patient?"),
    "an unknown feature": ("  tonic:", "  tonik:", 14, "features.tonik", "did you mean tonic"),
    "an unknown diagnosis": ("dissoziativ: NES", "dissoziativ: PNES", 12, "diagnosis.values.dissoziativ", "ES, NES"),
    "no video": ("video: Datei\n", "", 1, "the document", "video must be given"),
    "a word that YAML takes for a truth value": ('"yes": [ja]', "yes: [ja]", 16, "words.yes", "put it in quotes"),
    "words of something unknown": ("untested: [unklar]", "untestd: [unklar]", 16, "words.untestd", "untested?"),
}


@pytest.mark.parametrize(("old", "new", "line", "field", "message"), WRONG_MAPPINGS.values(), ids=WRONG_MAPPINGS)
def test_a_wrong_mapping_is_named_with_line_and_field(ward, old, new, line, field, message):
    assert old in WIDE_MAPPING
    (ward / "wide.yaml").write_text(WIDE_MAPPING.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        _bring(ward, "wide")
    assert str(caught.value).startswith(f"wide.yaml:{line}: {field}: ")
    assert message in str(caught.value)
    assert not (ward.parent / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "ascii"}, "--encoding"),
        ({"encoding": "klingon"}, "unknown encoding"),
        ({"encoding": "hex"}, "--encoding"),
    ],
)
def test_a_wrong_encoding_is_named(ward, options, message):
    with pytest.raises(UsageError, match=message):
        _bring(ward, "wide", **options)


def test_what_is_there_is_not_written_over(ward):
    out = ward.parent / "out"
    out.mkdir()
    (out / "mine").touch()
    with pytest.raises(UsageError, match="exists"):
        _bring(ward, "wide")
    assert [path.name for path in out.iterdir()] == ["mine"]


def test_nothing_half_made_is_left_when_the_disk_refuses(ward):
    (ward.parent / "out").mkdir()
    inside = ward.parent / "out" / "file"
    inside.touch()
    with pytest.raises((UsageError, Exception), match=r"cannot be made|exists"):
        import_table(ward / "wide.csv", inside / "data", mapping=ward / "wide.yaml", videos=ward)
    assert [path.name for path in (ward.parent / "out").iterdir()] == ["file"]


def test_a_column_without_a_name_is_not_taken_for_one_that_is_not_mapped(ward):
    lines = LONG.splitlines()
    text = "\n".join([f",{lines[0]}", *(f"{n},{line}" for n, line in enumerate(lines[1:]))])
    (ward / "long.csv").write_text(text)
    assert all(video.onset_s is None and not video.report for video in load_dataset(_bring(ward, "long")).videos)


def test_the_command_says_what_to_do_next(ward, capsys):
    out = ward.parent / "out"
    arguments = ["--mapping", str(ward / "wide.yaml"), "--videos", str(ward), "--out", str(out)]
    for code, word in ((0, "3 videos; check it with s3harness data validate"), (2, "exists")):
        with pytest.raises(SystemExit) as ended:
            main(["data", "import", "table", str(ward / "wide.csv"), *arguments])
        assert ended.value.code == code
        shown = capsys.readouterr()
        assert word in shown.out + shown.err


TIMES = {
    "37": 37,
    "37.5": 37.5,
    "37,5": 37.5,
    "0": 0,
    "1:30": 90,
    "01:05.5": 65.5,
    "125:30": 7530,
    "1:02:03": 3723,
    "": None,
}


@pytest.mark.parametrize(("text", "value"), TIMES.items())
def test_a_time_is_read_in_any_of_three_notations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(
    "text", ["-3", "1:75", "1:60:00", "1:2:75", "a", "1::", "1.5:30", "1:2:3:4", "٣", "nan", "1e3", " 3"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="is not a time"):
        seconds(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_hours_minutes_and_seconds_add_up(hours, minutes, rest):
    assert seconds(f"{hours}:{minutes:02d}:{rest:02d}") == 3600 * hours + 60 * minutes + rest
    assert seconds(f"{60 * hours + minutes}:{rest:02d}") == 3600 * hours + 60 * minutes + rest


def test_no_id_that_an_import_gives_is_changed_when_the_data_set_is_read():
    """One whose twelve digits were all decimal was taken for a number written by hand, and hashed once more."""
    names = [f"{n}.mp4" for n in range(2000)]
    assert [i for i in opaque_ids("v", names, "0" * 64).values() if opaque_id(i) != i] == []


def test_sides_have_spellings_of_their_own(ward):
    mapping = f'{LONG_MAPPING}words: {{left: ["li."], right: ["re."], both: ["bds."]}}\n'
    (ward / "long.yaml").write_text(mapping, encoding="utf-8")
    table = LONG.replace("left", "li.").replace(",r\n", ",Re.\n").replace("1,3,", "1,3,bds.")
    (ward / "long.csv").write_text(table, encoding="utf-8")
    dataset, problems = validate_dataset(_bring(ward, "long"))
    assert problems == []
    sides = {name: label.side for video in dataset.videos for name, label in video.features.items()}
    assert (sides["tonic"], sides["head_turning"], sides["clonic"]) == ("left", "right", "both")


def test_a_spelling_that_is_not_known_is_sent_to_the_place_in_the_mapping(ward):
    (ward / "long.csv").write_text(LONG.replace("left", "li."), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"long.csv:2: 'li.' is none of left, .* add it to the mapping, under words"):
        _bring(ward, "long")


def test_an_import_that_cannot_be_used_yet_says_so_and_what_is_wrong(ward):
    """As clock times do, which are outside every video."""
    (ward / "long.csv").write_text(LONG.replace("b.mp4,two,clonic,1,3,", "b.mp4,two,clonic,23:15:01,23:15:03,"))
    out = ward.parent / "out"
    arguments = [ward / "long.csv", "--mapping", ward / "long.yaml", "--videos", ward, "--out", out]
    result = CliRunner().invoke(cli, ["data", "import", "table", *map(str, arguments)])
    message = str(result.exception)
    assert f"{out}: 3 videos imported, but the data set cannot be used yet: the data set has 2 problems" in message
    assert "83701 s is outside the video, which lasts 4 s; times count from its start" in message
