"""Importing a checkout of the release: nothing lost, nothing leaked, every oddity handled and counted."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from release_checkout import SAMPLE, VIDEOS
from s3harness_synth.dataset import synthesize

from s3harness.cli import cli
from s3harness.dataset.load import load_dataset
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import DatasetError, UsageError
from s3harness.paper.annotations import read_annotations
from s3harness.paper.importer import import_release
from s3harness.paper.layout import open_release, patient_of


@pytest.fixture
def imported(checkout, tmp_path):
    report = import_release(checkout.root, tmp_path / "data")
    return report, tmp_path / "data"


@pytest.fixture
def videos(checkout):
    return read_annotations(open_release(checkout.root)).videos


def test_the_data_set_is_valid_and_holds_every_video(imported):
    report, data = imported
    dataset, problems = validate_dataset(data, media=False)
    assert problems == []
    assert len(dataset.videos) == report.videos == 7
    assert report.patients == 6
    assert report.diagnoses == {"ES": 3, "NES": 3, "none": 1}
    assert report.splits == {"fold0": 4, "fold1": 2, "sample": 1}
    assert json.loads((data / "import_report.json").read_text(encoding="utf-8"))["quirks"] == dict(report.quirks)


def test_names_dates_and_patients_of_the_release_stay_private(imported):
    _, data = imported
    for path in data.rglob("*"):
        if path.is_file() and path.parent.name != "private":
            assert not re.search(r"@|P000\d", path.read_text(encoding="utf-8")), path.name
    assert SAMPLE in (data / "private" / "sources.csv").read_text(encoding="utf-8")
    assert (data / "private").stat().st_mode & 0o077 == 0


def test_ids_are_the_same_for_everyone_and_follow_neither_alphabet_nor_order(checkout, imported, tmp_path):
    path = checkout.root / "result" / "ground_truth" / "task7_annotation.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(header + "".join(reversed(rows)), encoding="utf-8")
    again = import_release(checkout.root, tmp_path / "again")
    assert again.videos == 7
    for table in ("videos.csv", "features.csv", "reports.csv"):
        assert (tmp_path / "again" / table).read_bytes() == (imported[1] / table).read_bytes()
    ids = [video.id for video in read_annotations(open_release(checkout.root)).videos.values()]
    assert sorted(ids) == [f"v000{n}" for n in range(1, 8)]
    assert ids not in (sorted(ids), sorted(ids, reverse=True))


def test_signs_get_their_meaning(videos):
    first, second = (videos[name].features for name in VIDEOS[:2])
    assert (first["blank_stare"].present, first["blank_stare"].start_s) == ("yes", 2.0)
    assert first["verbal_responsiveness"].present == "yes"
    assert second["verbal_responsiveness"].present == "untested"
    assert (first["clonic"].start_s, first["clonic"].end_s) == (8.0, 90.0)
    assert (second["tonic"].start_s, second["tonic"].end_s) == (7.0, None)
    assert second["blank_stare"].justification == "reason blank_stare no"


def test_sides_and_body_parts_are_mended(videos):
    turns = [videos[name].features["head_turning"] for name in VIDEOS]
    assert [turn.side for turn in turns] == ["left", "right", "left", None, "left", None]
    assert [turn.present for turn in turns] == ["no", "yes", "no", "yes", "no", "yes"]
    arms = [videos[name].features["arm_movement"] for name in VIDEOS]
    assert [arm.present for arm in arms] == ["yes", "yes", "untested", "no", "yes", "no"]
    assert [(arm.start_s, arm.end_s) for arm in arms[:2]] == [(27.0, 31.0), (27.0, None)]
    assert [videos[name].onset_body_part for name in VIDEOS] == ["head", "arms", "legs", "", "full body", "head"]


def test_every_oddity_is_counted(imported):
    counts = {key.split(";")[0]: number for key, number in imported[0].quirks.items()}
    assert counts["labels in another case"] == 10
    assert counts["verbal_responsiveness without a label"] == 3
    assert counts["ends before the start"] == 2
    assert counts["times of 0 hours, minutes and seconds"] == 4
    assert counts["sides with blanks around them"] == 1
    assert counts["head turnings with a side that Task 1 does not see"] == 3
    assert counts["head turnings without a side"] == 2
    assert counts["arm movements without a word"] == 1
    assert counts["body parts with a slip of the pen"] == 2
    assert counts["onsets without a body part"] == 1
    assert counts["Sample videos"] == 1
    assert counts["videos with a name of another form"] == 1
    assert counts["videos whose report another video has too"] == 2
    assert counts["moments of the seizure known within a clip only"] == 14
    assert counts["moments in the middle of their clip"] == 15


def test_what_no_table_tells_is_left_empty(videos, imported):
    assert all(video.onset_s is None and video.offset_s is None for video in videos.values())
    clips = (imported[1] / "clips.csv").read_text(encoding="utf-8").splitlines()
    assert clips[0] == "video_id,subject,target_s"
    assert sum(",seizure_onset,30" in line for line in clips) == 7
    assert f"{videos[VIDEOS[0]].id},tonic,12" in clips


def test_odd_tables_are_named_and_read_all_the_same(checkout, tmp_path):
    path = checkout.root / "result" / "ground_truth" / "task3_spatial_annotation.csv"
    line = path.read_text(encoding="utf-8").splitlines()[1]
    path.write_bytes(path.read_bytes() + f"{line}\r\nP0005@né,left\r\n".encode("latin-1"))
    report = import_release(checkout.root, tmp_path / "data")
    assert any("Latin-1" in note for note in report.tables)
    assert any("earlier row" in note for note in report.tables)
    assert any("2 cells under 8 columns" in note for note in report.tables)
    assert not any("@" in note for note in report.tables)


def test_a_missing_column_or_table_is_named_and_nothing_is_made(checkout, tmp_path):
    path = checkout.root / "result" / "ground_truth" / "task12_annotation.csv"
    checkout.edit(path, ",clonic,", ",clonus,")
    with pytest.raises(DatasetError, match=r"task12_annotation.csv: no column clonic"):
        import_release(checkout.root, tmp_path / "data")
    path.unlink()
    with pytest.raises(DatasetError, match=r"task12_annotation.csv cannot be read"):
        import_release(checkout.root, tmp_path / "data")
    assert not list(tmp_path.glob("*data*"))


@pytest.mark.parametrize("link", [False, True])
def test_videos_come_along_with_their_duration(checkout, tmp_path, link):
    synthesize(tmp_path / "synth", videos=1, seed=1, resolution=(96, 54), fps=2, duration_s=8.0)
    folder = tmp_path / "videos" / "task7_seizurevideos"
    folder.mkdir(parents=True)
    source = next((tmp_path / "synth" / "videos").glob("*.mp4"))
    (folder / VIDEOS[1]).write_bytes(source.read_bytes())
    (folder / "other.mp4").write_bytes(b"")
    report = import_release(checkout.root, tmp_path / "data", videos=tmp_path / "videos", link=link)
    dataset, problems = validate_dataset(tmp_path / "data")
    assert problems == []
    (video,) = [video for video in dataset.videos if video.path]
    assert report.files == 1
    assert video.duration_s == pytest.approx(8.0, abs=0.6)
    assert video.path.is_symlink() is link
    assert video.path.name == f"{video.id}.mp4"
    assert report.quirks["videos without a file in the folder"] == 6
    assert report.quirks["other mp4 files in the folder; left out"] == 1
    assert report.quirks["times beyond the end of the video; left out"] > 5


def test_a_folder_without_the_videos_and_a_directory_that_exists_are_refused(checkout, tmp_path):
    with pytest.raises(UsageError, match="holds no video of the release"):
        import_release(checkout.root, tmp_path / "data", videos=tmp_path / "nowhere")
    (tmp_path / "data").mkdir()
    with pytest.raises(UsageError, match="exists"):
        import_release(checkout.root, tmp_path / "data")


def test_the_command_prints_what_it_did(checkout, tmp_path):
    out = tmp_path / "data"
    result = CliRunner().invoke(cli, ["data", "import", "s3-release", str(checkout.root), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "7 videos of 6 patients, 0 with a file" in result.output
    assert "ends before the start; the end left out" in result.output
    assert "@" not in result.output


def test_the_real_release_comes_in_whole(release, tmp_path):
    report = import_release(release, tmp_path / "data")
    dataset = load_dataset(tmp_path / "data")
    assert (report.videos, report.patients, len(dataset.videos)) == (438, 116, 438)
    assert report.diagnoses == {"ES": 294, "NES": 138, "none": 6}
    assert report.splits == {"fold0": 82, "fold1": 90, "fold2": 81, "fold3": 62, "fold4": 117, "sample": 6}
    assert report.clips == 2366
    assert report.quirks["verbal_responsiveness without a label; untested"] == 228
    assert report.quirks["videos whose report another video has too"] == 167
    assert report.quirks["sequences that are not the signs in order of time; the signs kept"] == 2
    assert report.tables == ()


def test_no_name_of_the_real_release_leaves_the_private_folder(release, tmp_path):
    import_release(release, tmp_path / "data")
    names = read_annotations(open_release(release)).videos
    public = "".join(p.read_text(encoding="utf-8") for p in tmp_path.glob("data/*.*"))
    assert not any(patient_of(name) in public or name.split("@")[1] in public for name in names)
