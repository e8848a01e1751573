from __future__ import annotations

from pathlib import Path

import pytest
from installing import Site


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the started processes keep their bytecode, so that not each of them compiles everything."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture
def site(tmp_path: Path, bytecode: Path) -> Site:
    """An empty folder to install plugins into."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder, {"PYTHONPYCACHEPREFIX": str(bytecode), "PYTHONDONTWRITEBYTECODE": ""})
