"""The command line as a person calls it: the exit code, and all that it says."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from s3harness.cli import main


@dataclass(frozen=True)
class Called:
    exit_code: int
    output: str


def call(*arguments: object) -> Called:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Called(code, said.getvalue())
