"""What was packed before is still read, shown and exported; only what this version can score again is accepted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from calling import call
from tampering import cover_up, edit

from s3harness.leaderboard.collect import collect
from s3harness.leaderboard.entries import entry_of
from s3harness.leaderboard.folder import SCHEMA, read_folder
from s3harness.leaderboard.item_sets import item_sets
from s3harness.leaderboard.verify import ADDED_IN_V2, verify

V1 = Path(__file__).parent / "packed_v1"
"""A run of two tasks on two synthetic videos, packed by the version before ``s3harness/submission/v2``."""


def test_what_is_packed_now_is_version_2(first_model: Path) -> None:
    about = json.loads((first_model / "submission.json").read_text())
    assert about["schema"] == SCHEMA == "s3harness/submission/v2"
    assert about["items_sha256"] == item_sets(read_folder(first_model).tables["items.jsonl"])
    scores = json.loads((first_model / "scores.json").read_text())["scores"]
    assert all(score.keys() >= ADDED_IN_V2 for score in scores)


def test_version_1_is_read() -> None:
    folder = read_folder(V1)
    assert folder.about["schema"] == "s3harness/submission/v1"
    assert not any(score.keys() & ADDED_IN_V2 for score in folder.documents["scores.json"]["scores"])
    entry = entry_of(V1)
    assert entry.submitter == "A lab"
    assert entry.partial == "only 3 laterality, 7 diagnosis"
    assert entry.item_sets == item_sets(folder.tables["items.jsonl"])
    assert all(score.floor_test is None for score in entry.scores)


def test_version_1_is_shown_and_exported(tmp_path: Path) -> None:
    shutil.copytree(V1, tmp_path / "submissions" / "old")
    built = call("leaderboard", "build", "--submissions", tmp_path / "submissions", "--out", tmp_path / "site")
    assert built.exit_code == 0, built.output
    exported = call("submit", "export", V1, "--out", tmp_path / "exports")
    assert exported.exit_code == 0, exported.output
    assert (tmp_path / "exports" / "scores.csv").read_text().count("\n") == 1 + len(entry_of(V1).scores)


def test_verifying_version_1_says_what_is_wrong_and_no_missing_field(tmp_path: Path) -> None:
    """Specs and scores may have changed since; a field that there was not yet is no difference."""
    findings = verify(V1).findings
    assert {finding.kind for finding in findings} <= {"spec", "scores", "scorer", "predictions", "manifest"}
    assert not any(name in finding.message for finding in findings for name in ADDED_IN_V2)
    assert collect(tmp_path).ranked == []


def test_version_2_must_name_its_items(tmp_path: Path, first_model: Path) -> None:
    folder = Path(shutil.copytree(first_model, tmp_path / "mine"))
    edit(folder / "submission.json", lambda about: about.pop("items_sha256") and None)
    assert {finding.kind for finding in verify(folder).findings} == {"schema"}


def test_items_cannot_be_named_as_those_of_another_board(tmp_path: Path, dataset: Path, first_model: Path) -> None:
    folder = Path(shutil.copytree(first_model, tmp_path / "mine"))
    edit(folder / "submission.json", lambda about: about.update(items_sha256={"s3/task1_features": "0" * 64}))
    cover_up(folder)
    assert "does not match the items in the folder" in {finding.message for finding in verify(folder, dataset).findings}
