from __future__ import annotations

from pathlib import Path

import pytest

from s3harness.dataset.release import Release, open_release

CHECKOUT = Path(__file__).parents[2].parent / "shared" / "s3-release"


@pytest.fixture(scope="session")
def release() -> Release:
    """The part of the authors' release that these tests are made against; it may not be copied into the project."""
    if not CHECKOUT.is_dir():
        pytest.fail(f"the authors' release is not at {CHECKOUT}: put a checkout of it there, or leave these tests out")
    return open_release(CHECKOUT)
