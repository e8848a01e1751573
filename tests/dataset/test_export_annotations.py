"""Annotations and answers as tables for other tools: truth beside the model, whole or not at all."""

from __future__ import annotations

import csv
import json

import pytest
from small_data import make

from s3harness.dataset.export_annotations import export_annotations
from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.evaluation.execute import execute
from s3harness.evaluation.prepare import prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.run.executor import Progress
from s3harness.rundir.journal import read_journal
from s3harness.scoring.recordings import recordings_of_run


@pytest.fixture
def data(tmp_path, video_file):
    return make(tmp_path / "data", video_file)


def rows(folder):
    with (folder / "annotations.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_label_is_a_row_and_what_has_no_place_is_said(data, tmp_path):
    notes = export_annotations(data, tmp_path / "out", "csv", options={})
    assert notes == ["not exported: diagnosis of 3 videos, report of 2 videos, body part of onset of 3 videos"]
    by_sign = {(row["video_id"], row["sign"]): row for row in rows(tmp_path / "out")}
    assert by_sign["v0001", "tonic"] == {
        "video_id": "v0001",
        "source": "truth",
        "sign": "tonic",
        "present": "yes",
        "start_s": "1",
        "end_s": "2.5",
        "side": "left",
        "certainty": "",
        "note": "The arm, stiff",
    }
    assert by_sign["v0003", "verbal_responsiveness"]["present"] == "untested"
    assert (by_sign["v0004", "seizure"]["start_s"], by_sign["v0004", "seizure"]["end_s"]) == ("10", "50")


def test_a_name_in_a_remark_stops_the_export_and_leaves_nothing(data, tmp_path):
    text = (data / "features.csv").read_text()
    (data / "features.csv").write_text(text.replace("The arm, stiff", "Mrs Jane Miller turns"))
    with pytest.raises(UsageError, match="whoever gets the export"):
        export_annotations(data, tmp_path / "out", "csv", options={})
    assert not (tmp_path / "out").exists()


def test_an_exporter_that_is_not_here_is_named_with_the_package(data, tmp_path):
    with pytest.raises(UsageError, match="no exporter named 'elna'"):
        export_annotations(data, tmp_path / "out", "elna", options={})


@pytest.fixture
def run(data, tmp_path):
    out = tmp_path / "run"
    execute(prepare(RunSettings(backend="oracle", data=data, out=out, cache_dir=tmp_path / "cache")), Progress())
    return out


def test_a_run_that_is_right_says_what_the_truth_says(run, data):
    annotations, notes = recordings_of_run(run)
    # The fourth video has no file, so that its questions fail.
    assert all("failed" in note for note in notes)
    for recording in annotations.recordings[:3]:
        truth, model = (
            {(one.sign, one.present, one.start_s, one.side) for one in recording.statements[source]}
            for source in ("truth", "oracle")
        )
        assert truth == model
    whole, _ = recordings_of_run(run, load_dataset(data))
    ends = {one.sign: one.end_s for one in whole.recordings[0].statements["truth"]}
    assert ends["tonic"] == 2.5
    assert not any(one.note for one in whole.recordings[0].statements["truth"])


def test_a_denied_sign_that_is_timed_all_the_same_is_both(run):
    lines = (run / "responses.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    changed = [
        one | {"text": write_denial(one)} if "task1" in one["task"] and one["item"].endswith("v0001/tonic") else one
        for one in answers
    ]
    assert changed != answers
    (run / "responses.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in changed))
    assert read_journal(run)
    annotations, _ = recordings_of_run(run)
    tonic = [one for one in annotations.recordings[0].statements["oracle"] if one.sign == "tonic"]
    assert [(one.present, one.start_s) for one in tonic] == [("no", None), ("yes", 1.0)]


def write_denial(line):
    return line["text"].replace("yes", "no")


def test_a_data_set_of_other_videos_is_refused(run, tmp_path, video_file):
    other = make(tmp_path / "other", video_file)
    for table in ("videos.csv", "features.csv", "reports.csv"):
        (other / table).write_text((other / table).read_text().replace("v000", "v100"))
    with pytest.raises(UsageError, match="none of the videos of this run"):
        recordings_of_run(run, load_dataset(other))
