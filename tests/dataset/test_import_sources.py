"""``data import SOURCE``: the importer is chosen by the form of the source, and annotations keep what they had."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_data import encode

from s3harness.cli import cli
from s3harness.dataset.importing.annotations import AnnotationImporter, SourceAnnotation, SourceAnnotations
from s3harness.dataset.importing.choice import importer_for
from s3harness.dataset.importing.write import import_notes
from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import source_names
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import UsageError

ANNOTATIONS = (
    SourceAnnotation(place="a.eaf: 1", video="a.mp4", patient="one", sign="tonic", start=0.123, end=1.5, side="left"),
    SourceAnnotation(place="a.eaf: 2", video="a.mp4", patient="one", sign="seizure", start=0.1, end=2.25),
    SourceAnnotation(place="a.eaf: 3", video="a.mp4", patient="one", sign="Clonic jerking", certainty="uncertain"),
    SourceAnnotation(place="a.eaf: 4", video="a.mp4", patient="one", sign="hiccups", start=1.0),
    SourceAnnotation(place="b.eaf: 1", video="b.mp4", patient="two", sign="head turning", present="no"),
)


def _read(source: Path) -> SourceAnnotations:
    return SourceAnnotations(ANNOTATIONS, (f"{source.name}: one tier was empty",))


def test_annotations_of_a_format_become_a_data_set_with_times_sides_certainty_and_notes(tmp_path):
    out = tmp_path / "out"
    assert AnnotationImporter(_read)(tmp_path / "a.eaf", out) == 2
    by_onset = {video.onset_s: video for video in load_dataset(out).videos}
    first, second = by_onset[0.1], by_onset[None]
    signs = {name: (s.present, s.start_s, s.end_s, s.side, s.certainty) for name, s in first.features.items()}
    assert signs == {
        "tonic": ("yes", 0.123, 1.5, "left", None),
        "clonic": ("yes", None, None, None, "uncertain"),
    }
    assert (first.offset_s, second.features["head_turning"].present) == (2.25, "no")
    notes, _ = import_notes(out)
    assert notes[0] == "a.eaf: one tier was empty"
    assert notes[1].startswith("a.eaf: 4: left out: there is no sign named 'hiccups'")


@pytest.mark.parametrize(
    ("files", "source", "importer"),
    [
        (("ward.csv",), "ward.csv", "table"),
        (("ward.XLSX",), "ward.XLSX", "table"),
        (("recordings/a.wmv",), "recordings", "recordings"),
    ],
)
def test_the_form_of_a_source_chooses_its_importer(tmp_path, files, source, importer):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert importer_for(tmp_path / source) == importer


def test_a_source_that_no_importer_takes_is_named(tmp_path):
    (tmp_path / "ward.docx").touch()
    with pytest.raises(UsageError, match=r"no importer takes ward.docx; name one before the source: table"):
        importer_for(tmp_path / "ward.docx")


def test_a_folder_of_recordings_alone_becomes_a_data_set_with_a_patient_for_each_folder(tmp_path, video_file):
    for name in ("Roe/first.mp4", "Roe/second.MP4", "Poe/first.mkv"):
        (tmp_path / "ward" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(video_file, tmp_path / "ward" / name)
    arguments = [
        "data",
        "import",
        str(tmp_path / "ward"),
        "--out",
        str(tmp_path / "out"),
        "--videos",
        str(tmp_path / "ward"),
    ]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    dataset, problems = validate_dataset(tmp_path / "out")
    assert problems == []
    assert sorted(video.path.suffix for video in dataset.videos) == [".mkv", ".mp4", ".mp4"]
    assert len({video.patient for video in dataset.videos}) == 2


def test_missing_video_files_are_named_at_import(tmp_path, video_file):
    shutil.copy(video_file, tmp_path / "First.MP4")
    (tmp_path / "ward.csv").write_text("video,patient\nfirst.mp4,one\nsecond.mp4,two\n")
    (tmp_path / "mapping.yaml").write_text("schema: s3harness/mapping/v1\nvideo: video\npatient: patient\n")
    arguments = ["--mapping", "mapping.yaml", "--videos", ".", "--out", "out"]
    result = CliRunner().invoke(cli, ["data", "import", *_in(tmp_path, ["ward.csv", *arguments])])
    assert "missing video file: second.mp4" in result.stderr
    assert "note: first.mp4: taken from First.MP4" in result.stderr
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["schema"] == "s3harness/dataset/v1"


def _imported(table: Path, videos: Path) -> tuple[Path, dict[str, object]]:
    """Draft, confirm and import; return the data set and its videos by their names in the source."""
    mapping, out = table.with_suffix(".yaml"), table.with_suffix("")
    drafted = CliRunner().invoke(cli, ["data", "mapping", str(table), "--out", str(mapping), "--json"])
    code = json.loads(drafted.stdout)["code"]
    arguments = ["--mapping", mapping, "--confirmed", code, "--videos", videos, "--out", out]
    result = CliRunner().invoke(cli, ["data", "import", str(table), *map(str, arguments)])
    assert result.exit_code == 0, result.exception
    return out, {source_names(out)[video.id]: video for video in load_dataset(out).videos}


def test_events_that_share_a_long_file_are_cut_out_of_it(tmp_path):
    encode(tmp_path / "night.mp4", seconds=600, fps=2)
    (tmp_path / "ward.csv").write_text(
        "Datei;Patient;Anfall Nr.;Anfallsbeginn;Anfallsende;tonisch;tonisch von\n"
        "night.mp4;one;1;100;120;ja;105\nnight.mp4;one;2;400;430;nein;\n"
    )
    out, videos = _imported(tmp_path / "ward.csv", tmp_path)
    assert validate_dataset(out)[1] == []
    first, second = videos["night.mp4#1"], videos["night.mp4#2"]
    for video, onset, offset in ((first, 100, 120), (second, 400, 430)):
        # A cut begins at a key frame: at most one group of pictures earlier than asked for.
        assert onset - 60 - 130 <= onset - video.onset_s <= onset - 60
        assert video.offset_s - video.onset_s == offset - onset
        assert video.duration_s < 350
    assert first.features["tonic"].start_s - first.onset_s == pytest.approx(5)
    assert second.features["tonic"].present == "no"


def test_a_name_that_lost_letters_in_its_encoding_is_that_of_the_one_file_that_fits(tmp_path):
    for name in ("Yılmaz_1", "Yılmaz_2"):
        encode(tmp_path / f"{name}.mp4")
    text = "Datei;Patient;tonisch\nYılmaz_1.mp4;one;ja\nYılmaz_2.mp4;one;nein\n"
    (tmp_path / "ward.csv").write_bytes(text.encode("cp1252", errors="replace"))
    out, videos = _imported(tmp_path / "ward.csv", tmp_path)
    assert set(videos) == {"Yılmaz_1.mp4", "Yılmaz_2.mp4"}
    assert validate_dataset(out)[1] == []
    assert any("letters are lost" in note for note in import_notes(out)[0])


def test_several_files_of_an_event_are_joined_and_their_times_follow_each_other(tmp_path):
    for name in ("a1", "a2", "b1"):
        encode(tmp_path / f"{name}.mp4", seconds=10)
    (tmp_path / "ward.csv").write_text(
        "Patient;Anfall;Teil;Datei;Diagnose;Zeichen;von;bis\n"
        "one;1;2;a2.mp4;epileptisch;klonisch;1;3\none;1;1;a1.mp4;epileptisch;tonisch;2;4\n"
        "two;2;1;b1.mp4;PNEA;tonisch;5;6\n"
    )
    out, videos = _imported(tmp_path / "ward.csv", tmp_path)
    assert validate_dataset(out)[1] == []
    assert set(videos) == {"a1.mp4 + a2.mp4", "b1.mp4"}
    joined = videos["a1.mp4 + a2.mp4"]
    assert joined.duration_s == pytest.approx(20, abs=0.3)
    assert (joined.features["tonic"].start_s, joined.features["clonic"].start_s) == (2, pytest.approx(11, abs=0.1))
    assert joined.diagnosis == "ES"


def _in(folder: Path, arguments: list[str]) -> list[str]:
    return [one if one.startswith("--") else str(folder / one) for one in arguments]
