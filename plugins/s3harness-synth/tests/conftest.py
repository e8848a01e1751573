from pathlib import Path

import pytest
from s3harness_synth.dataset import synthesize
from synth_stage import TINY


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One tiny data set for all tests of what a finished one looks like."""
    out = tmp_path_factory.mktemp("synth") / "tiny"
    synthesize(out, **TINY)
    return out
