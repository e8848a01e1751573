"""A sweep is several runs: each setting asks in its own way, is scored, resumes, and all decode a video once."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from test_media_once import openings

SETTINGS = {
    "fps-1_window-10": (1, 10),
    "fps-1_window-30": (1, 30),
    "fps-2_window-10": (2, 10),
    "fps-2_window-30": (2, 30),
}


def words(dataset, out, cache, *more):
    return (
        *("sweep", "--backend", "floors", "--tasks", "1,4", "--fps", "1,2", "--window", "10,30"),
        *("--data", str(dataset), "--out", str(out), "--cache", str(cache), *more),
    )


@pytest.fixture(scope="module")
def swept(dataset, tmp_path_factory):
    from running import Here

    folder = tmp_path_factory.mktemp("sweep")
    videos = dataset / "videos"
    with openings(videos) as counts:
        done = Here(folder)(*words(dataset, folder / "out", folder / "cache", "--json"))
    assert done.code == 0, done.err
    return folder, json.loads(done.out), counts


def test_every_setting_is_a_finished_run_that_says_how_it_sampled(swept):
    folder, _, _ = swept
    for name, (fps, window_s) in SETTINGS.items():
        manifest = json.loads((folder / "out" / name / "manifest.json").read_text())
        assert manifest["status"] == "complete"
        assert manifest["run"]["sampling"] == {"fps": fps, "window_s": window_s}
    requests = {name: len((folder / "out" / name / "responses.jsonl").read_text().splitlines()) for name in SETTINGS}
    assert requests["fps-1_window-10"] > requests["fps-1_window-30"]
    assert requests["fps-1_window-10"] == requests["fps-2_window-10"]


def test_each_score_stands_beside_its_floor_and_every_feature_has_its_own(swept):
    _, points, _ = swept
    assert [point["directory"] for point in points] == list(SETTINGS)
    for point in points:
        assert [score["metric"] for score in point["tasks"]] == ["balanced accuracy", "MAE"]
        assert all(score["floor"] is not None for score in point["tasks"])
        features = {score["metric"]: score for score in point["features"]}
        assert {"clonic", "clonic (F1)", "eye_blinking", "ictal_vocalization"} <= set(features)


def test_a_video_is_opened_once_for_all_settings(swept):
    _, _, counts = swept
    assert set(counts.values()) == {1}


def test_the_picture_has_a_panel_for_each_task_and_feature_with_scores(swept):
    folder, points, _ = swept
    titles = [e.text for e in ElementTree.parse(folder / "out" / "sweep.svg").iter() if e.get("class") == "t"]
    scored = {score["metric"].replace("_", " ") for score in points[0]["features"] if score["value"] is not None}
    assert titles[:2] == ["1 features: balanced accuracy", "4 temporal boundaries: MAE"]
    assert set(titles[2:]) == {name for name in scored if not name.endswith("(F1)")}


def test_the_same_command_again_asks_nothing_twice(here, dataset, swept):
    folder, points, _ = swept
    before = {name: (folder / "out" / name / "responses.jsonl").read_bytes() for name in SETTINGS}
    again = here(*words(dataset, folder / "out", folder / "cache", "--json"))
    assert json.loads(again.out) == points
    assert {name: (folder / "out" / name / "responses.jsonl").read_bytes() for name in SETTINGS} == before


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (("--fps", "0"), "--fps"),
        (("--fps", "two"), "--fps"),
        (("--window", "10,10"), "twice"),
        (("--fps", "inf"), "--fps"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(here, dataset, tmp_path, wrong, named):
    done = here("sweep", "--backend", "floors", "--data", str(dataset), "--out", str(tmp_path / "out"), *wrong)
    assert done.code == 2
    assert named in done.err
    assert not (tmp_path / "out").exists()


def test_a_run_cannot_go_on_with_another_sampling(here, dataset, tmp_path):
    run = ("run", "--backend", "floors", "--tasks", "1", "--data", str(dataset), "--out", str(tmp_path / "run"))
    assert here(*run, "--sampling", "fps=1").code == 0
    other = here(*run, "--sampling", "fps=2", "--resume")
    assert other.code == 2
    assert "sampling" in other.err


def test_transforms_are_swept_as_rates_are_and_each_run_names_its_own(here, dataset, cache, tmp_path):
    words = ("--tasks", "3", "--limit", "2", "--data", dataset, "--out", tmp_path, "--cache", cache)
    done = here("sweep", "--backend", "floors", "--transforms", "none,mirror,mirror+silence", *words, "--json")
    assert done.code == 0, done.err
    named = {"transform-none": [], "transform-mirror": ["mirror"], "transform-mirror+silence": ["mirror", "silence"]}
    assert [point["directory"] for point in json.loads(done.out)] == list(named)
    for name, transforms in named.items():
        run = json.loads((tmp_path / name / "manifest.json").read_text())["run"]
        assert [transform["name"] for transform in run.get("transforms", [])] == transforms
        assert json.loads((tmp_path / name / "scores.json").read_text()).get("transforms", []) == transforms
    texts = [e.text or "" for e in ElementTree.parse(tmp_path / "sweep.svg").iter()]
    assert any(text.startswith("1 none. 2 mirror. 3 mirror+silence. ") for text in texts)
    twice = here("sweep", "--backend", "floors", "--transforms", "mirror,mirror", *words)
    assert (twice.code, "twice" in twice.err) == (2, True)
