from __future__ import annotations

import pytest
from training_cases import write_dataset

from s3harness.training.training_set import SetSettings, build_training_set


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("training") / "data")


@pytest.fixture(scope="session")
def made(data):
    """All seven tasks, mirror images and two jitters."""
    return build_training_set(data, SetSettings(leave_out_constant=True, jitters=2, balance="drop"))
