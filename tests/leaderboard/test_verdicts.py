"""A verdict has force only if a maintainer's key signed it, and then only of these files in a folder of this name."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
from keys import allow, make_key
from tampering import cover_up, edit

from s3harness.leaderboard.collect import collect
from s3harness.leaderboard.verdicts import record_path, signed_verdict


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def signers(tmp_path: Path, key: Path) -> Path:
    return allow(key, tmp_path / "allowed_signers")


@pytest.fixture
def signed(board: Path, dataset: Path, key: Path) -> Path:
    """A board of which one submission has a signed verdict and the other none."""
    told = ("--data", dataset, "--record", "--sign", key)
    result = call("leaderboard", "verify", board / "first-model", *told)
    assert result.exit_code == 0, result.output
    return board


def _ranked(board: Path, signers: Path | None, data: Path | None = None) -> dict[str, str]:
    return {entry.slug: entry.tier for entry in collect(board, data, signers).ranked}


def test_only_what_is_signed_is_ranked_without_annotations(signed: Path, signers: Path) -> None:
    assert _ranked(signed, signers) == {"first-model": "re-scored"}
    assert _ranked(signed, None) == {}
    assert [entry.slug for entry in collect(signed, None, signers).claimed] == ["second-model"]


def test_a_build_with_the_annotations_verifies_the_others_itself(signed: Path, signers: Path, dataset: Path) -> None:
    both = {"first-model": "re-scored", "second-model": "re-scored"}
    assert _ranked(signed, signers, dataset) == both
    assert _ranked(signed, None, dataset) == both


def forge_without_a_key(board: Path, key: Path) -> None:
    """What was believed once: a file that says so."""
    shutil.copy(record_path(board / "first-model"), record_path(board / "second-model"))
    edit(record_path(board / "second-model"), lambda record: record.update(submission="second-model"))


def borrow_a_signature(board: Path, key: Path) -> None:
    forge_without_a_key(board, key)
    shutil.copy(f"{record_path(board / 'first-model')}.sig", f"{record_path(board / 'second-model')}.sig")


def move_a_verdict(board: Path, key: Path) -> None:
    """A verdict of another folder, as it was signed."""
    for end in ("", ".sig"):
        source, out = f"{record_path(board / 'first-model')}{end}", f"{record_path(board / 'second-model')}{end}"
        shutil.copy(source, out)


def sign_by_a_key_of_ones_own(board: Path, key: Path) -> None:
    own = make_key(board.parent, "own")
    told = ("--record", "--sign", own)
    assert call("leaderboard", "verify", board / "second-model", *told).exit_code == 0
    edit(record_path(board / "second-model"), lambda record: record.update(tier="reproduced"))
    _sign(own, record_path(board / "second-model"), "verdict@s3harness")


def sign_for_another_purpose(board: Path, key: Path) -> None:
    """A maintainer's signature of a file of any kind is none of a verdict."""
    assert call("leaderboard", "verify", board / "second-model", "--record").exit_code == 0
    edit(record_path(board / "second-model"), lambda record: record.update(tier="re-scored"))
    _sign(key, record_path(board / "second-model"), "file")


def record_without_signing(board: Path, key: Path) -> None:
    assert call("leaderboard", "verify", board / "second-model", "--record").exit_code == 0


def copy_a_signed_folder(board: Path, key: Path) -> None:
    """The files of the signed submission and its verdict, under another name."""
    shutil.rmtree(board / "second-model")
    shutil.copytree(board / "first-model", board / "second-model")
    move_a_verdict(board, key)


def _sign(key: Path, path: Path, namespace: str) -> None:
    Path(f"{path}.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace, str(path)]
    subprocess.run(command, check=True, capture_output=True)


FORGERIES = (
    *(forge_without_a_key, borrow_a_signature, move_a_verdict, sign_by_a_key_of_ones_own, sign_for_another_purpose),
    *(record_without_signing, copy_a_signed_folder),
)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forged_verdict_has_no_force(signed: Path, signers: Path, key: Path, forge: Callable[..., None]) -> None:
    forge(signed, key)
    assert _ranked(signed, signers) == {"first-model": "re-scored"}


def change_a_score(folder: Path) -> None:
    edit(folder / "scores.json", lambda scores: scores["scores"][0].update(value=0.999))


def change_the_submitter(folder: Path) -> None:
    edit(folder / "submission.json", lambda about: about.update(submitter="Somebody else"))


def change_the_answers(folder: Path) -> None:
    edit(folder / "responses.jsonl", lambda line: line | {"text": "no"})
    cover_up(folder)


def add_a_file(folder: Path) -> None:
    (folder / "predictions" / "task9_more.jsonl").write_text("")


@pytest.mark.parametrize("change", [change_a_score, change_the_submitter, change_the_answers, add_a_file])
def test_what_is_changed_after_its_verdict_has_none(
    signed: Path, signers: Path, change: Callable[[Path], None]
) -> None:
    change(signed / "first-model")
    assert _ranked(signed, signers) == {}


def test_a_signed_verdict_that_was_edited_has_no_force(signed: Path, signers: Path) -> None:
    edit(record_path(signed / "first-model"), lambda record: record.update(tier="reproduced"))
    assert signed_verdict(signed / "first-model", signers) is None
    assert _ranked(signed, signers) == {}


def test_a_signed_rejection_stands_whatever_else_says_so(board: Path, dataset: Path, key: Path, signers: Path) -> None:
    shutil.copytree(board / "first-model", board / "again")
    told = ("--data", dataset, "--record", "--sign", key)
    assert call("leaderboard", "verify", board / "again", *told).exit_code == 1
    collected = collect(board, dataset, signers, reviewed=["again"])
    assert "again" not in {entry.slug for entry in collected.ranked}
    assert "this run was submitted before" in collected.left_out["again"]


def test_of_two_equal_submissions_without_a_verdict_none_is_ranked(board: Path, dataset: Path) -> None:
    """Which was first cannot be seen from the files."""
    shutil.copytree(board / "first-model", board / "again")
    collected = collect(board, dataset)
    assert {entry.slug for entry in collected.ranked} == {"second-model"}
    assert set(collected.left_out) == {"again", "first-model"}


def test_a_signed_verdict_comes_before_a_replay_without_one(signed: Path, dataset: Path, signers: Path) -> None:
    shutil.copytree(signed / "first-model", signed / "again")
    collected = collect(signed, dataset, signers)
    assert {entry.slug for entry in collected.ranked} == {"first-model", "second-model"}
    assert "again" in collected.left_out


def test_what_a_maintainer_reproduced_is_recorded(board: Path, dataset: Path, key: Path, signers: Path) -> None:
    told = ("--data", dataset, "--record", "--sign", key, "--reproduced")
    assert call("leaderboard", "verify", board / "first-model", *told).exit_code == 0
    assert _ranked(board, signers) == {"first-model": "reproduced"}


def test_the_reason_of_a_look_is_recorded(board: Path, dataset: Path, key: Path) -> None:
    told = ("--data", dataset, "--record", "--sign", key, "--reviewed", "Asked the lab.")
    assert call("leaderboard", "verify", board / "first-model", *told).exit_code == 0
    assert json.loads(record_path(board / "first-model").read_text())["reviewed"] == "Asked the lab."


def test_without_ssh_keygen_it_says_what_to_install(
    signed: Path, signers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = ("--submissions", signed, "--allowed-signers", signers, "--out", tmp_path / "site")
    result = call("leaderboard", "build", *told)
    assert result.exit_code == 1
    assert "ssh-keygen" in result.output
    assert "apt-get install openssh-client" in result.output
    assert "--data DIR" in result.output


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--sign", "{key}"), "--sign signs the verdict that --record writes"),
        (("--record", "--sign", "{missing}"), "there is no such key; create one with ssh-keygen -t ed25519"),
        (("--reproduced",), "--reproduced needs the data set's annotations"),
    ],
)
def test_a_wrong_call_says_what_is_right(board: Path, key: Path, options: tuple[str, ...], complaint: str) -> None:
    filled = [option.format(key=key, missing=board / "missing") for option in options]
    result = call("leaderboard", "verify", board / "first-model", *filled)
    assert result.exit_code == 2
    assert complaint in result.output


def test_a_record_without_a_signature_says_that_it_has_no_force(board: Path, dataset: Path) -> None:
    result = call("leaderboard", "verify", board / "first-model", "--data", dataset, "--record")
    assert result.exit_code == 0
    assert "unsigned, so not ranked" in result.output
