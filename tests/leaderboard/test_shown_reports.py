"""The report that a question shows goes with its item, so that its floor can be computed, and goes where truth goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call


@pytest.fixture(scope="module")
def diagnosed(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    run = tmp_path_factory.mktemp("diagnosed") / "run"
    result = call("run", "--backend", "oracle", "--data", dataset, "--out", run, "--tasks", "7")
    assert result.exit_code == 0, result.output
    return run


def _items(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]


def test_the_items_of_a_question_that_shows_the_report_hold_it(diagnosed: Path) -> None:
    shown = {str(item["subject"]): bool(item.get("report")) for item in _items(diagnosed)}
    assert shown == {"video": False, "video_and_report": True}


def test_its_floor_is_scored_in_a_run_and_again_in_its_submission(
    diagnosed: Path, dataset: Path, tmp_path: Path
) -> None:
    assert call("submit", "pack", diagnosed, "--out", tmp_path / "packed", "--with-truth").exit_code == 0
    result = call("leaderboard", "verify", tmp_path / "packed", "--data", dataset)
    assert result.exit_code == 0, result.output


def test_a_submission_that_withholds_the_truth_withholds_the_reports(diagnosed: Path, tmp_path: Path) -> None:
    result = call("submit", "pack", diagnosed, "--out", tmp_path / "packed", "--without-truth")
    assert result.exit_code == 0, result.output
    assert not {"truth", "report"} & {key for item in _items(tmp_path / "packed") for key in item}
