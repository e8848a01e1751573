from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from running import Harness, Here, run_words


@pytest.fixture
def s3(tmp_path):
    """The command line, in a process of its own."""
    return Harness(tmp_path)


@pytest.fixture
def here(tmp_path):
    """The command line, in this process."""
    return Here(tmp_path)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """One cache of decoded frames for all tests that are not about it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def copy(dataset, tmp_path) -> Path:
    """A copy of the data set, to be changed."""
    return shutil.copytree(dataset, tmp_path / "data")


@pytest.fixture(scope="session")
def undisturbed(dataset, cache, tmp_path_factory):
    """The directories of finished runs of all tasks by backend, which nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for backend in ("floors", "oracle"):
        done = Harness(folder)(*run_words(dataset, folder / backend, cache, backend=backend))
        assert done.code == 0, done.err
    return {backend: folder / backend for backend in ("floors", "oracle")}
