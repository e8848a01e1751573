from __future__ import annotations

from pathlib import Path

import pytest

from s3harness.paper.layout import Release, open_release


@pytest.fixture(scope="session")
def release(release: Path) -> Release:
    """The part of the authors' release that these tests are made against; it may not be copied into the project."""
    return open_release(release)
