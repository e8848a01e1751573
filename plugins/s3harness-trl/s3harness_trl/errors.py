"""Errors of training, explained so that a user can act on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import s3harness

LESS_MEMORY = (
    "make batch_size (and answers) smaller and accumulate larger, or show less (--sampling max_frames=N max_pixels=N)"
)


@contextlib.contextmanager
def explained_out_of_memory() -> Iterator[None]:
    """Turn a lack of memory into :class:`s3harness.S3HarnessError` that says what helps; let other errors pass."""
    try:
        yield
    except Exception as error:
        from s3harness_transformers.errors import is_out_of_memory

        if not isinstance(error, s3harness.S3HarnessError) and is_out_of_memory(error):
            raise s3harness.S3HarnessError(f"out of memory in training; {LESS_MEMORY}") from error
        raise
