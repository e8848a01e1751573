"""``data split`` keeps patients whole, kinds of patients in proportion, and everything else as it is."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.cli import main
from s3harness.dataset.load import load_dataset
from s3harness.dataset.split import split_dataset, split_patients
from s3harness.errors import DatasetError, UsageError
from s3harness.types import Video


def _cohort(es: int, nes: int, both: int = 0) -> list[Video]:
    kinds = [("ES",)] * es + [("NES",)] * nes + [("ES", "NES")] * both
    return [
        Video(f"v{patient}x{n}", f"p{patient}", diagnosis=diagnosis)
        for patient, diagnoses in enumerate(kinds)
        for n, diagnosis in enumerate(diagnoses * (1 + patient % 4))
    ]


cohorts = st.builds(_cohort, st.integers(5, 40), st.integers(5, 40), st.integers(0, 10))


@given(cohorts, st.integers(0, 100), st.integers(2, 5))
def test_each_fold_has_its_share_of_each_kind_of_patient(videos, seed, folds):
    names = [f"fold{n}" for n in range(folds)]
    splits = split_patients(videos, names, [1.0] * folds, seed)
    kinds = {v.patient: {w.diagnosis for w in videos if w.patient == v.patient} for v in videos}
    assert splits.keys() == kinds.keys()
    for kind in ({"ES"}, {"NES"}, {"ES", "NES"}):
        patients = [patient for patient in kinds if kinds[patient] == kind]
        counts = Counter(splits[patient] for patient in patients)
        assert all(abs(counts[name] - len(patients) / folds) <= 2 for name in names)


@given(cohorts, st.integers(0, 100))
def test_a_split_is_the_same_every_time_and_whatever_the_order_of_the_videos(videos, seed):
    def split(of: list[Video]) -> dict[str, str]:
        return split_patients(of, ["train", "test"], [0.8, 0.2], seed)

    assert split(videos) == split(videos[::-1])
    others = [split_patients(videos, ["train", "test"], [0.8, 0.2], seed + n) for n in range(1, 30)]
    assert any(other != split(videos) for other in others)


def test_a_split_does_not_change_with_the_version_of_anything():
    splits = split_patients(_cohort(4, 3), ["train", "test"], [0.7, 0.3], 0)
    assert splits == {
        "p0": "train",
        "p1": "train",
        "p2": "train",
        "p3": "test",
        "p4": "train",
        "p5": "test",
        "p6": "train",
    }


def _table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), list(reader)


def _grown(data: Path, patients: int = 20) -> Path:
    rows = "".join(
        f"v1{n:03d},q{n // 2},,{('ES', 'NES')[n // 2 % 2]},old,10,01.50,2e0,,n°{n} \n" for n in range(2 * patients)
    )
    text = (data / "videos.csv").read_text().replace(",train,", ",old,").replace(",test,", ",old,")
    (data / "videos.csv").write_text(text + rows)
    return data


def test_everything_but_the_split_stays_as_it_is(data):
    columns, before = _table(_grown(data) / "videos.csv")
    others = {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.name != "videos.csv"}
    split_dataset(data, ["train", "test"], [0.8, 0.2], 3)
    columns_after, after = _table(data / "videos.csv")
    assert columns_after == columns
    assert [{**row, "split": ""} for row in after] == [{**row, "split": ""} for row in before]
    assert {row["split"] for row in after} == {"train", "test"}
    assert {
        path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.name != "videos.csv"
    } == others


def test_no_patient_is_in_two_splits_and_shares_are_kept(data):
    dataset = split_dataset(_grown(data), ["train", "test"], [0.8, 0.2], 0)
    splits = {video.patient: video.split for video in dataset.videos}
    assert all(splits[video.patient] == video.split for video in dataset.videos)
    assert 3 <= Counter(splits.values())["test"] <= 7
    assert {v.diagnosis for v in dataset.videos if v.split == "test"} >= {"ES", "NES"}


def test_a_split_column_is_added_where_there_is_none(data):
    text = (data / "videos.csv").read_text()
    for split in ("split", "train", "test"):
        text = text.replace(f",{split},", ",")
    (data / "videos.csv").write_text(text)
    split_dataset(data, ["a", "b"], [1, 1], 0)
    assert _table(data / "videos.csv")[0][-1] == "split"
    assert {video.split for video in load_dataset(data).videos} == {"a", "b"}


def test_a_split_that_is_wrong_now_is_mended(data):
    text = (data / "videos.csv").read_text()
    (data / "videos.csv").write_text(text.replace("v0002.mp4,ES,train", "v0002.mp4,ES,test"))
    with pytest.raises(DatasetError):
        load_dataset(data)
    split_dataset(data, ["train", "test"], [0.5, 0.5], 0)
    load_dataset(data)


def test_a_data_set_with_other_problems_is_left_alone(data):
    text = (data / "videos.csv").read_text().replace("left arm", "left wing")
    (data / "videos.csv").write_text(text)
    with pytest.raises(DatasetError, match="fix the data set first"):
        split_dataset(data, ["train", "test"], [0.8, 0.2], 0)
    assert (data / "videos.csv").read_text() == text


@pytest.mark.parametrize(
    ("names", "shares", "message"), [("abcd", [1] * 4, "3 patients"), ("ab", [99, 1], "none is left for b")]
)
def test_a_split_that_would_be_empty_is_refused(data, names, shares, message):
    before = (data / "videos.csv").read_bytes()
    with pytest.raises(UsageError, match=message):
        split_dataset(data, list(names), shares, 0)
    assert (data / "videos.csv").read_bytes() == before


def test_the_command_makes_folds_and_says_how_many_videos_each_has(data, capsys):
    with pytest.raises(SystemExit):
        main(["data", "split", str(_grown(data)), "--folds", "5", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert list(told) == [f"fold{n}" for n in range(5)]
    assert sum(told.values()) == 44
    assert Counter(video.split for video in load_dataset(data).videos) == told


def test_a_file_that_is_named_and_not_there_is_not_counted(data, capsys):
    (data / "videos" / "v0002.mp4").unlink()
    with pytest.raises(SystemExit):
        main(["data", "info", str(data), "--json"])
    assert json.loads(capsys.readouterr().out)["with a video file"] == 2


def test_the_summary_counts_what_there_is(data, capsys):
    with pytest.raises(SystemExit):
        main(["data", "info", str(data), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["videos"], told["with a video file"], told["patients"], told["reports"]) == (4, 3, 3, 2)
    assert told["diagnoses"] == "ES 2, NES 1, unknown 1"
    assert told["minutes"] == 1.2
    features = {row["feature"]: row for row in told["features"]}
    assert len(features) == 20
    assert (features["tonic"]["yes"], features["tonic"]["median seconds"], features["tonic"]["left"]) == (1, 1.5, 1)
    assert (features["clonic"]["no"], features["verbal_responsiveness"]["untested"]) == (1, 1)
    assert features["figure4"]["yes"] == features["figure4"]["no"] == 0
