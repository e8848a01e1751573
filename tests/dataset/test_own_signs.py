"""A list of signs of the user's own goes through import, all seven tasks, floors and scores, without code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import own_list
import pytest
import yaml

from s3harness.dataset.load import load_dataset
from s3harness.errors import SpecError, UsageError
from s3harness.metrics.rqi import extract
from s3harness.package_data import specs_directory
from s3harness.parsers.event_list import event_list
from s3harness.rundir.manifest import read_manifest
from s3harness.specs.features import benchmark_vocabulary, read_vocabulary, use_vocabulary, vocabulary

BENCHMARK_TASKS = 7


@pytest.fixture(autouse=True)
def _ours_again():
    """Other tests go by the benchmark's list."""
    yield
    use_vocabulary(benchmark_vocabulary())


def s3harness(*arguments, code=0):
    ended = subprocess.run(
        [sys.executable, "-m", "s3harness", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr
    return ended


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The data set, imported by its own list, and a run of each yardstick."""
    folder = tmp_path_factory.mktemp("own")
    table, mapping, signs = own_list.write(folder)
    s3harness(
        *("data", "import", "table", table, "--mapping", mapping, "--features", signs),
        *("--videos", folder / "recordings", "--link", "--out", folder / "data"),
    )
    for backend in ("oracle", "floors"):
        s3harness("run", "--backend", backend, "--data", folder / "data", "--out", folder / backend)
    return folder


def scores(run: Path):
    read = json.loads((run / "scores.json").read_text())["scores"]
    return {score["task"]: score for score in read if score["primary"]}


def test_all_tasks_score_with_floors_and_the_truth_scores_full_marks(folder):
    perfect, floors = scores(folder / "oracle"), scores(folder / "floors")
    assert len(perfect) == BENCHMARK_TASKS
    for task, score in perfect.items():
        assert score["coverage"] == 1.0, task
        assert score["floor"] is not None, task
        assert score["floor_name"], task
        gap = abs(score["floor"] - score["value"])
        assert gap > 0.1 * max(1.0, abs(score["floor"])) or score["higher_is_better"] is False, task
        assert score["value"] == pytest.approx(score["ceiling"]) or task.endswith("rationales"), task
        assert abs(score["value"] - floors[task]["value"]) > 0.1, task


def test_every_question_is_about_a_sign_of_the_list(folder):
    names = set(own_list.WORDS)
    items = [json.loads(line) for line in (folder / "oracle" / "items.jsonl").read_text().splitlines()]
    by_task = {}
    for item in items:
        by_task.setdefault(item["task"], set()).add(item["subject"])
    assert by_task["s3/task1_features"] == names
    assert by_task["s3/task3_laterality"] == {*own_list.SIDED, "onset_body_part"}
    assert by_task["s3/task4_temporal_boundaries"] == {*own_list.TIMED, "seizure_onset", "seizure_offset"}


def test_the_run_keeps_its_list_and_is_scored_by_it_without_the_data_set(folder):
    before = (folder / "oracle" / "scores.json").read_bytes()
    s3harness("score", folder / "oracle")
    assert (folder / "oracle" / "scores.json").read_bytes() == before
    read_manifest(folder / "oracle")
    assert vocabulary().names == tuple(own_list.WORDS)


def test_a_data_set_brings_its_list_and_the_next_one_its_own(folder, tmp_path):
    load_dataset(folder / "data")
    assert vocabulary().is_own
    assert event_list("Gelastic laughter, then gaze deviation").value == ["gelastic", "versive_gaze"]
    assert extract("Gelastic laughter is followed by nose wiping.").events == ("gelastic", "nose_wiping")
    (tmp_path / "dataset.json").write_text('{"schema": "s3harness/dataset/v1"}')
    for table, header in (("videos", "video_id,patient_id,file,diagnosis,split,duration_s,onset_s,offset_s"),):
        (tmp_path / f"{table}.csv").write_text(f"{header},onset_body_part\n")
    (tmp_path / "features.csv").write_text("video_id,feature,present,start_s,end_s,side,justification\n")
    load_dataset(tmp_path)
    assert not vocabulary().is_own
    assert extract("Spitting is followed by nose wiping.").events == ()


def test_a_sign_with_the_name_of_one_of_ours_has_our_words(folder):
    words = read_vocabulary(folder / "my.yaml")
    assert words["tonic"].question == benchmark_vocabulary()["tonic"].question
    assert words["drop"].question == "Does the patient show this sign during the event: drop of the head?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Tonic Posture"}, "features.0.name"),
        ({"name": "spitting", "colour": "red"}, "colour"),
        ({"name": "spitting", "modality": "smell"}, "modality"),
        ({"name": "clonic", "synonyms": ["tonic"]}, "'tonic' is a word of both"),
    ],
)
def test_a_wrong_list_is_refused_with_the_place(tmp_path, change, message):
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump({"features": [change, {"name": "tonic"}]}))
    with pytest.raises(SpecError, match=message):
        read_vocabulary(path)


def test_a_strangers_manifest_with_a_wrong_list_is_refused(folder, tmp_path):
    manifest = json.loads((folder / "floors" / "manifest.json").read_text())
    manifest["run"]["vocabulary"]["features"][0]["name"] = "../x"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="the list of signs"):
        read_manifest(tmp_path)


def test_the_shipped_list_of_2025_is_whole_and_names_its_tags():
    words = read_vocabulary(specs_directory() / "features-ilae-2025.yaml")
    assert len(words.features) > 20
    assert all(feature.hed for feature in words.features)
    assert all(feature.ilae or feature.name in ("eye_blinking", "hypersalivation") for feature in words.features)
