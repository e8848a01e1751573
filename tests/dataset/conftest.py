from __future__ import annotations

from pathlib import Path

import pytest
from small_data import encode, make


@pytest.fixture(scope="session")
def video_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video of four seconds."""
    path = tmp_path_factory.mktemp("video") / "grey.mp4"
    encode(path)
    return path


@pytest.fixture
def data(tmp_path: Path, video_file: Path) -> Path:
    """A small right data set, to be changed."""
    return make(tmp_path / "data", video_file)
