from __future__ import annotations

import pytest
from release_checkout import Checkout, make_checkout


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    """A tiny checkout in the layout of the authors' release, with invented names."""
    return make_checkout(tmp_path / "checkout")
