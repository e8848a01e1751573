from pathlib import Path

import pytest

RELEASE = Path(__file__).parents[3] / "shared" / "s3-release"


@pytest.fixture(scope="session")
def release() -> Path:
    """The private checkout of the authors' release, next to this repository."""
    if not RELEASE.is_dir():
        pytest.fail(f"this test reads the authors' release, which is expected in {RELEASE}")
    return RELEASE
