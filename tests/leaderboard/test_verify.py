"""A submission is accepted if its scores come out of its raw answers again, and every kind of cheating is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call
from tampering import cover_up, edit

from s3harness.leaderboard.verify import verify

TASK3 = "predictions/task3_laterality.jsonl"


def test_an_honest_submission_is_rescored_from_its_raw_answers(packed: Path, dataset: Path) -> None:
    claimed, rescored = verify(packed), verify(packed, dataset)
    assert (claimed.accepted, claimed.tier) == (True, "claimed")
    assert (rescored.accepted, rescored.tier) == (True, "re-scored")
    assert rescored.n_scores >= 6
    assert rescored.n_responses > 100


@pytest.mark.parametrize("spoiled", [b"", b"no video"])
def test_a_run_of_which_a_video_could_not_be_read_is_rescored_too(
    tmp_path: Path, dataset: Path, spoiled: bytes
) -> None:
    data, run, out = shutil.copytree(dataset, tmp_path / "data"), tmp_path / "run", tmp_path / "submission"
    table = (data / "videos.csv").read_text()
    assert ",36.00," in table
    (data / "videos.csv").write_text(table.replace(",36.00,", ",,"))
    (data / "videos" / "v0002.mp4").write_bytes(spoiled)
    assert call("run", "--backend", "oracle", "--data", data, "--out", run, "--tasks", "1,3").exit_code == 1
    assert call("submit", "pack", run, "--out", out).exit_code == 0
    assert verify(out, data).findings == ()
    assert call("report", run, "--data", data).exit_code == 0


def raise_a_score(folder: Path) -> None:
    def better(scores: Any) -> None:
        scores["scores"][0]["value"] = 0.999

    edit(folder / "scores.json", better)


def change_an_answer(folder: Path) -> None:
    def flipped(line: Any) -> Any:
        if line["task"] == "s3/task3_laterality":
            line["text"] = line["text"].replace("left", "right")
        return line

    edit(folder / "responses.jsonl", flipped)


def drop_items(folder: Path) -> None:
    hard = {json.loads(line)["item"] for line in (folder / TASK3).read_text().splitlines()[:3]}
    for name in ("items.jsonl", TASK3):
        edit(folder / name, lambda line: None if line["item"] in hard else line)


def add_items(folder: Path) -> None:
    line = json.loads((folder / "items.jsonl").read_text().splitlines()[0])
    line["item"] = line["item"].replace("/v", "/x")
    line["video_id"] = "x" + line["video_id"][1:]
    with (folder / "items.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def swap_the_manifest(folder: Path) -> None:
    def other(manifest: Any) -> None:
        manifest["run"]["model"]["name"] = "lingshu-32b"

    edit(folder / "manifest.json", other)


def use_easier_prompts(folder: Path) -> None:
    def easier(manifest: Any) -> None:
        manifest["run"]["tasks"]["s3/task1_features"]["spec"]["prompt"] = "Say yes."

    edit(folder / "manifest.json", easier)


def use_another_list_of_signs(folder: Path) -> None:
    def easier(manifest: Any) -> None:
        manifest["run"]["vocabulary"] = {"features": [{"name": "tonic"}]}

    edit(folder / "manifest.json", easier)


def use_another_scorer(folder: Path) -> None:
    edit(folder / "scores.json", lambda scores: scores["plugins"].update(s3harness="0.0.9"))


def hide_failures(folder: Path) -> None:
    edit(folder / "manifest.json", lambda manifest: manifest.update(failed=5))


def change_a_prediction(folder: Path) -> None:
    edit(folder / TASK3, lambda line: line | {"value": "right"})


def change_the_truth(folder: Path) -> None:
    edit(folder / "items.jsonl", lambda line: line | {"truth": "no"} if line["truth"] == "yes" else line)


def answer_another_split(folder: Path) -> None:
    edit(folder / "manifest.json", lambda manifest: manifest["run"].update(split="train"))


def ask_for_fewer(folder: Path) -> None:
    edit(folder / "manifest.json", lambda manifest: manifest["run"].update(limit=2))


def ask_for_a_sample(folder: Path) -> None:
    edit(folder / "manifest.json", lambda manifest: manifest["run"].update(sample={"items": 20, "seed": 0}))


CHEATS = {
    raise_a_score: "scores",
    change_an_answer: "predictions",
    drop_items: "items",
    add_items: "items",
    swap_the_manifest: "manifest",
    use_easier_prompts: "spec",
    use_another_list_of_signs: "spec",
    use_another_scorer: "scorer",
    hide_failures: "manifest",
    change_a_prediction: "predictions",
    change_the_truth: "items",
    answer_another_split: "items",
    ask_for_fewer: "items",
    ask_for_a_sample: "items",
}


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.__name__)
def test_a_change_is_found_by_its_hash(submission: Path, cheat: Callable[[Path], None]) -> None:
    cheat(submission)
    assert "hash" in {finding.kind for finding in verify(submission).findings}


@pytest.mark.parametrize(("cheat", "kind"), CHEATS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_change_is_found_even_with_its_hashes_recomputed(
    submission: Path, dataset: Path, cheat: Callable[[Path], None], kind: str
) -> None:
    cheat(submission)
    cover_up(submission)
    verdict = verify(submission, dataset)
    assert not verdict.accepted
    assert kind in {finding.kind for finding in verdict.findings}


def test_the_message_says_where(submission: Path, dataset: Path) -> None:
    raise_a_score(submission)
    cover_up(submission)
    result = call("leaderboard", "verify", submission, "--data", dataset)
    assert result.exit_code == 1
    assert "scores.json:s3/task1_features balanced accuracy: value 0.999, re-scored 1" in result.output


def test_a_submission_made_twice_is_found(submission: Path, packed: Path) -> None:
    def renamed(about: Any) -> None:
        about["submitter"] = "somebody else"

    edit(submission / "submission.json", renamed)
    shutil.copytree(packed, submission.parent / "first")
    result = call("leaderboard", "verify", submission)
    assert result.exit_code == 1
    assert "this run was submitted before" in result.output


def test_without_truth_and_annotations_nothing_accepted(tmp_path: Path, ran: Path, dataset: Path) -> None:
    out = tmp_path / "private"
    assert call("submit", "pack", ran, "--out", out, "--without-truth").exit_code == 0
    assert "truth" not in (out / "items.jsonl").read_text()
    assert "truth" not in (out / TASK3).read_text()
    assert [finding.kind for finding in verify(out).findings] == ["truth"]
    assert verify(out, dataset).tier == "re-scored"
