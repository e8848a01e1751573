"""A pull request holds exactly the packed files, and nothing is sent that was not checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import call
from hub import hub
from tampering import edit

REPO = "epi/board"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_pull_request_holds_exactly_the_packed_files(packed: Path) -> None:
    with hub() as server:
        result = call("submit", "push", packed, "--repo", REPO, "--endpoint", server.address)
    assert result.exit_code == 0, result.output
    assert f"{server.address}/datasets/{REPO}/discussions/1" in result.output
    assert server.title == "Submission of oracle"
    folders = {"/".join(name.split("/")[:2]) for name in server.files}
    assert len(folders) == 1
    assert {name.split("/", 2)[2]: data for name, data in server.files.items()} == _files(packed)
    assert any(f"/api/datasets/{REPO}/commit/main?create_pr=1" in request for request in server.requests)


@pytest.mark.parametrize("offline", ["--dry-run", "HF_HUB_OFFLINE"])
def test_offline_it_says_what_it_would_send(packed: Path, offline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if offline == "HF_HUB_OFFLINE":
        monkeypatch.setenv(offline, "1")
    options = [offline] if offline.startswith("--") else []
    with hub() as server:
        result = call("submit", "push", packed, "--repo", REPO, "--endpoint", server.address, *options)
    assert result.exit_code == 0
    assert all(name in result.output for name in _files(packed))
    assert "Nothing was sent." in result.output
    assert server.requests == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_hub_that_refuses_is_a_failure(packed: Path, status: int) -> None:
    with hub(refuse=status) as server:
        result = call("submit", "push", packed, "--repo", REPO, "--endpoint", server.address)
    assert result.exit_code == 1
    assert "nothing was sent" in result.output
    assert server.files == {}


def test_what_was_changed_after_packing_is_not_sent(submission: Path) -> None:
    edit(submission / "scores.json", lambda scores: scores["scores"][0].update(value=0.99))
    with hub() as server:
        result = call("submit", "push", submission, "--repo", REPO, "--endpoint", server.address)
    assert result.exit_code == 1
    assert server.requests == []


def test_a_name_that_is_no_repository_is_a_wrong_call(packed: Path) -> None:
    assert call("submit", "push", packed, "--repo", "../board").exit_code == 2
