"""One run of the oracle on a tiny data set, and its submission; tests that change either get a copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from calling import call
from models import ask, submit_model


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


@pytest.fixture(scope="session")
def baseline(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """A run of all seven tasks by an answerer that looks at the videos and is often wrong."""
    return ask("kinematics", dataset, tmp_path_factory.mktemp("baseline") / "run")


@pytest.fixture(scope="session")
def first_model(tmp_path_factory: pytest.TempPathFactory, baseline: Path) -> Path:
    """The submission of a model."""
    return submit_model(baseline, tmp_path_factory.mktemp("first") / "first-model", "first-model")


@pytest.fixture(scope="session")
def second_model(tmp_path_factory: pytest.TempPathFactory, baseline: Path) -> Path:
    """The submission of another model, which answers much else."""
    folder = tmp_path_factory.mktemp("second")
    return submit_model(baseline, folder / "second-model", "second-model", differs=0.9)


@pytest.fixture
def board(tmp_path: Path, first_model: Path, second_model: Path) -> Path:
    """A folder with the submissions of both models."""
    for path in (first_model, second_model):
        shutil.copytree(path, tmp_path / "submissions" / path.name)
    return tmp_path / "submissions"
