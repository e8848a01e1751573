"""What goes to the Hub is one number where more is better, with its source and date, and only where it belongs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from calling import call

from s3harness.leaderboard.entries import entry_of
from s3harness.leaderboard.exports import HUB_TASK, HubTarget, hub_results
from s3harness.leaderboard.ranks import mean_skill, task_skill

TARGET = HubTarget("s3-lab/seizure-semiology-suite", "https://s3-lab.example/leaderboard/model-first-model.html")


def test_without_a_place_on_the_hub_there_is_no_file(tmp_path: Path, first_model: Path) -> None:
    assert call("submit", "export", first_model, "--out", tmp_path / "exports").exit_code == 0
    assert not list((tmp_path / "exports").rglob("*.yaml"))


def test_every_value_is_a_skill_with_source_and_date(
    first_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    told = ("--hub-dataset", TARGET.dataset, "--hub-source", TARGET.source_url)
    assert call("submit", "export", first_model, "--out", tmp_path / "exports", *told).exit_code == 0
    (path,) = (tmp_path / "exports").glob("*.eval_results.yaml")
    results = yaml.safe_load(path.read_text())
    entry = entry_of(first_model)
    skills = {task.rpartition("/")[2]: task_skill(score) for task, score in entry.primary.items()}
    expected = {HUB_TASK: mean_skill(entry), **{task: skill for task, skill in skills.items() if skill is not None}}
    assert {result["dataset"]["task_id"]: result["value"] for result in results} == {
        task: pytest.approx(value, abs=1e-4) for task, value in expected.items()
    }
    for result in results:
        assert result["dataset"]["id"] == TARGET.dataset
        assert date.fromisoformat(result["date"]) == date(2026, 9, 21)
        assert result["source"] == {"url": TARGET.source_url, "name": "s3harness leaderboard"}
        assert -1 <= result["value"] <= 1


def test_a_smaller_error_in_seconds_is_a_greater_value(first_model: Path) -> None:
    entry = entry_of(first_model)
    task = "s3/task4_temporal_boundaries"
    error = entry.primary[task]
    assert error.unit == "s"
    assert error.value is not None
    better = replace(error, value=error.value / 2)

    def value(score: object) -> float:
        results = yaml.safe_load(hub_results(replace(entry, scores=[score]), TARGET))
        return next(r["value"] for r in results if r["dataset"]["task_id"] == "task4_temporal_boundaries")

    assert value(better) > value(error)


def test_a_partial_entry_has_no_mean_on_the_hub(first_model: Path) -> None:
    results = yaml.safe_load(hub_results(replace(entry_of(first_model), partial="the first 5 videos"), TARGET))
    assert HUB_TASK not in {result["dataset"]["task_id"] for result in results}


@pytest.mark.parametrize(
    "options",
    [
        ("--hub-dataset", "a/b"),
        ("--hub-source", "https://x.example"),
        ("--hub-dataset", "no-owner", "--hub-source", "https://x.example"),
        ("--hub-dataset", "a/b", "--hub-source", "javascript:alert(1)"),
    ],
)
def test_half_a_place_is_a_wrong_call(tmp_path: Path, first_model: Path, options: tuple[str, ...]) -> None:
    assert call("submit", "export", first_model, "--out", tmp_path / "exports", *options).exit_code == 2
