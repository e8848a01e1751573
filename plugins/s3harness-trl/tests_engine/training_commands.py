"""The command line of training, called in this process."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from s3harness.cli import main

TUNING = "-o batch_size=4 -o log_every=1 -o checkpoint_every=2 -o warmup_steps=0 -o learning_rate=1e-3"


def s3harness(words):
    """The command line in this process: its exit code and what it printed."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed), pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0), printed.getvalue()
