"""What can go wrong in training, by names that a user can act on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import s3harness

SMALLER = (
    "make batch_size (and answers) smaller and accumulate larger, or show less (--sampling max_frames=N max_pixels=N)"
)


@contextlib.contextmanager
def named_failures() -> Iterator[None]:
    """Too little memory as an error that says what helps; all else as it is."""
    try:
        yield
    except Exception as error:
        from s3harness_transformers.failures import is_out_of_memory

        if not isinstance(error, s3harness.S3HarnessError) and is_out_of_memory(error):
            raise s3harness.S3HarnessError(f"out of memory in training; {SMALLER}") from error
        raise
