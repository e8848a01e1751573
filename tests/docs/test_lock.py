"""The lock has everything that the packages depend on, in versions that they take, with hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "locks" / "s3harness.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def locked():
    """Package → its locked versions; of some there is one for each version of Python."""
    versions = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", LOCK, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


@pytest.mark.parametrize(
    "package", [".", *(f"plugins/s3harness-{name}" for name in ("kinematics", "openai", "synth", "view"))]
)
def test_every_dependency_is_locked_in_a_version_that_fits(package, locked):
    project = tomllib.loads((ROOT / package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in map(Requirement, project["dependencies"]):
        if requirement.name != "s3harness":
            versions = locked.get(canonicalize_name(requirement.name), [])
            assert versions, f"{requirement.name} is not in locks/s3harness.txt: run make lock"
            assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_every_package_has_hashes_and_none_an_address():
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in LOCK
