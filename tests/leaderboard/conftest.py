"""One run of the oracle on a tiny data set, and its submission; tests that change either get a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from calling import call


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    run = tmp_path_factory.mktemp("runs") / "oracle"
    result = call("run", "--backend", "oracle", "--data", dataset, "--out", run, "--tasks", "1,3")
    assert result.exit_code == 0, result.output
    return run


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory, ran: Path) -> Path:
    out = tmp_path_factory.mktemp("submissions") / "packed"
    result = call("submit", "pack", ran, "--out", out)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def submission(tmp_path: Path, packed: Path) -> Path:
    return Path(shutil.copytree(packed, tmp_path / "mine" / "submission"))


@pytest.fixture
def copied(tmp_path: Path, ran: Path) -> Path:
    """The run, to be changed."""
    return Path(shutil.copytree(ran, tmp_path / "copied"))
