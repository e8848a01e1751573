from pathlib import Path

import pytest
from synth_stage import TINY

from s3harness.synth import synthesize


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One tiny data set for all tests of what a finished one looks like."""
    out = tmp_path_factory.mktemp("synth") / "tiny"
    synthesize(out, **TINY)
    return out
