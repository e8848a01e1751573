from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_runs import Runner, command


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small videos of 12 s: 36 questions of Task 1, a clip each."""
    folder = tmp_path_factory.mktemp("openai") / "data"
    words = ["--videos", 2, "--seconds", 12, "--resolution", "96x54", "--seed", 4]
    code, _, err = command("data", "synth", "--out", folder, *words)
    assert code == 0, err
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openai-cache")


@pytest.fixture
def run(data: Path, cache: Path, tmp_path: Path) -> Runner:
    return Runner(data, cache, tmp_path)


@pytest.fixture(scope="module")
def run_once(data: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The same, for runs that several tests look at."""
    return Runner(data, cache, tmp_path_factory.mktemp("once"))


@pytest.fixture
def card(run: Runner) -> Path:
    return run.card


@pytest.fixture(scope="module")
def short_pauses() -> Iterator[None]:
    """Pauses that nobody asked for are a tenth as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("s3harness_openai.server_pool.FIRST_PAUSE_S", 0.05)
        yield
