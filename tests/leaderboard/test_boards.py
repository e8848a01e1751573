"""Entries share a ranking only if they were asked the same; a partial one has a board of its own and no mean skill."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calling import call
from models import ask, submit_model
from tampering import cover_up, edit

from s3harness.leaderboard.boards import boards_of
from s3harness.leaderboard.collect import collect
from s3harness.leaderboard.entries import LeaderboardEntry, entry_of
from s3harness.leaderboard.ranks import mean_skill
from s3harness.leaderboard.verify import verify


def _build(board: Path, data: Path, out: Path) -> str:
    result = call("leaderboard", "build", "--submissions", board, "--data", data, "--out", out)
    assert result.exit_code == 0, result.output
    return result.output


def test_whole_runs_of_the_same_items_share_a_board(board: Path, dataset: Path) -> None:
    (only,) = boards_of(collect(board, dataset).ranked)
    assert only.partial == ""
    assert {entry.slug for entry in only.entries} == {"first-model", "second-model"}
    assert all(mean_skill(entry) is not None for entry in only.entries)


@pytest.mark.parametrize(
    ("options", "partial"),
    [
        (("--limit", "5"), "the first 5 videos"),
        (("--limit", "1"), "the first video"),
        (("--sample", "30"), "a sample of 30 items"),
        (("--tasks", "1,3"), "only 1 features, 3 laterality"),
        (("--tasks", "1,2,3,4,5,6"), "without 7 diagnosis"),
        (("--tasks", "2"), "only 2 rationales"),
        (("--tasks", "7", "--limit", "2"), "only 7 diagnosis, the first 2 videos"),
    ],
)
def test_a_partial_run_has_a_board_of_its_own_and_no_mean_skill(
    tmp_path: Path, dataset: Path, second_model: Path, options: tuple[str, ...], partial: str
) -> None:
    """However well it does: here it is a model of its own, with answers of its own."""
    run = ask("kinematics", dataset, tmp_path / "run", *options)
    part = submit_model(run, tmp_path / "submissions" / "part", "part")
    shutil.copytree(second_model, tmp_path / "submissions" / "whole")
    entries = collect(tmp_path / "submissions", dataset).ranked
    assert {entry.slug for entry in entries} == {"part", "whole"}
    whole, other = boards_of(entries)
    assert ([entry.slug for entry in whole.entries], whole.partial) == (["whole"], "")
    assert ([entry.slug for entry in other.entries], other.partial) == (["part"], partial)
    assert mean_skill(entry_of(part)) is None


def test_the_pages_say_so(tmp_path: Path, dataset: Path, second_model: Path) -> None:
    run = ask("kinematics", dataset, tmp_path / "run", "--limit", "5")
    submit_model(run, tmp_path / "submissions" / "part", "part")
    shutil.copytree(second_model, tmp_path / "submissions" / "whole")
    _build(tmp_path / "submissions", dataset, tmp_path / "site")
    index = (tmp_path / "site" / "index.html").read_text()
    whole, part = re.findall(r"<h2>.*?</table>", index, re.DOTALL)
    assert "mean skill" in whole
    assert "mean skill" not in part
    assert ": the first 5 videos</h2>" in part
    assert ">second-model</a>" in whole
    assert ">part</a>" in part
    assert "A partial entry: the first 5 videos." in (tmp_path / "site" / "model-part.html").read_text()


def test_a_manifest_of_seven_tasks_with_the_items_of_one_is_refused(
    tmp_path: Path, dataset: Path, first_model: Path
) -> None:
    folder = Path(shutil.copytree(first_model, tmp_path / "mine"))
    only = "s3/task7_diagnosis"
    for name in ("items.jsonl", "responses.jsonl"):
        edit(folder / name, lambda line: line if line["task"] == only else None)
    for path in (folder / "predictions").iterdir():
        if "task7" not in path.name:
            path.unlink()
    edit(folder / "scores.json", lambda scores: scores.update(scores=_of(scores["scores"], only)))
    _agree(folder)
    verdict = verify(folder, dataset)
    messages = [str(finding) for finding in verdict.findings]
    assert any("items are missing" in message and "s3/task6_report" in message for message in messages)
    assert collect(folder.parent, dataset).ranked == []


def _of(scores: list[Any], task: str) -> list[Any]:
    return [score for score in scores if score["task"] == task]


def _agree(folder: Path) -> None:
    """Counts, hashes and items made to match again."""
    from s3harness.leaderboard.folder import read_folder
    from s3harness.leaderboard.integrity import _facts
    from s3harness.leaderboard.item_sets import item_sets

    tables = read_folder(folder).tables
    edit(folder / "manifest.json", lambda manifest: manifest.update(_facts(tables["responses.jsonl"])))
    edit(folder / "submission.json", lambda about: about.update(items_sha256=item_sets(tables["items.jsonl"])))
    cover_up(folder)


def test_without_the_easy_items_it_is_refused(tmp_path: Path, dataset: Path, first_model: Path) -> None:
    folder = Path(shutil.copytree(first_model, tmp_path / "mine"))
    for name in ("items.jsonl", "predictions/task4_temporal_boundaries.jsonl"):
        edit(folder / name, lambda line: None if "task4" in line["item"] and "/v0001/" in line["item"] else line)
    _agree(folder)
    assert "items" in {finding.kind for finding in verify(folder, dataset).findings}


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "f" * 64},
        {"split": "train"},
        {"protocol": "paper"},
        {"scoring": ("paper", "", "0.1.0")},
        {"scoring": ("strict", "strict+redundancy", "0.1.0")},
        {"scoring": ("strict", "", "0.2.0")},
        {"item_sets": {"s3/t": "other windows"}},
        {"partial": "the first 5 videos"},
    ],
    ids=lambda other: " ".join(map(str, next(iter(other.items()))))[:40],
)
def test_what_was_asked_or_scored_in_another_way_is_on_another_board(other: dict[str, Any]) -> None:
    model = {"name": "m", "title": "m"}
    one = LeaderboardEntry(
        slug="a", model=model, tier="re-scored", protocol="strict", backend="b", scores=[], dataset="d 1"
    )
    one = replace(one, fingerprint="0" * 64, scoring=("strict", "", "0.1.0"), item_sets={"s3/t": "windows"})
    boards = boards_of([one, replace(one, slug="b", **other)])
    assert len(boards) == 2
    assert len({board.title for board in boards}) == 2


def test_a_failed_task_ranks_below_an_honest_one(tmp_path: Path, dataset: Path, baseline: Path) -> None:
    """All answers to Task 4 are garbage in one of two runs that are else the same kind."""

    def garbage(line: dict[str, Any]) -> None:
        if line["task"] == "s3/task4_temporal_boundaries":
            line["text"] = "I cannot say."

    folder = tmp_path / "submissions"
    submit_model(baseline, folder / "honest", "honest", differs=0.9, seed=11)
    submit_model(baseline, folder / "garbage", "garbage", differs=0.9, seed=11, change=garbage)
    honest, failed = entry_of(folder / "honest"), entry_of(folder / "garbage")
    assert honest.tasks == failed.tasks
    skills = mean_skill(honest), mean_skill(failed)
    assert skills[0] is not None
    assert skills[1] is not None
    assert skills[1] < skills[0]
    reviewed = ("--reviewed", "honest", "--reviewed", "garbage")
    built = call(
        *("leaderboard", "build", "--submissions", folder, "--data", dataset, "--out", tmp_path / "site"), *reviewed
    )
    assert "2 ranked entries" in built.output, built.output
    index = (tmp_path / "site" / "index.html").read_text()
    assert index.index(">honest</a>") < index.index(">garbage</a>")
    assert "7 tasks, 1 failed" in index
    task = (tmp_path / "site" / "task4-temporal-boundaries.html").read_text()
    assert re.search(r">garbage</a></td><td data-value=\"2\">2</td>", task), "a failed task has the last rank"
