"""The command line as a person calls it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from s3harness.cli import main


def call(words: Sequence[object]) -> tuple[int, str]:
    """Return the exit code and the output; -1 and the error where a command raises one."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        try:
            main([str(word) for word in words])
        except SystemExit as ended:
            return int(ended.code or 0), printed.getvalue()
        except Exception as error:
            return -1, f"{printed.getvalue()}{type(error).__name__}: {error}"
    return 0, printed.getvalue()
