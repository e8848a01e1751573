"""Checking a data set whole: its tables, and that every video file is there and can be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from s3harness.dataset.load import BORDER_S, Dataset, read_dataset
from s3harness.dataset.tables import Problem
from s3harness.errors import MediaError
from s3harness.types import Video


def validate_dataset(directory: Path, *, media: bool = True) -> tuple[Dataset, list[Problem]]:
    """Everything that is wrong with a data set directory; with ``media`` every video file is read through.

    Raises :class:`~s3harness.errors.DatasetError` if the directory is none.
    """
    dataset, problems = read_dataset(directory)
    if media:
        for video in dataset.videos:
            problems += _media_problems(video)
    return dataset, problems


def _media_problems(video: Video) -> Iterator[Problem]:
    from s3harness.media import probe

    if video.path is None:
        return
    name = f"videos/{video.path.name}"
    if not video.path.is_file():
        yield Problem(name, None, "", "the file is missing")
        return
    try:
        decoded = probe(video.path).duration_s
    except MediaError as error:
        yield Problem(name, None, "", str(error))
        return
    if video.duration_s is not None and abs(decoded - video.duration_s) > BORDER_S:
        yield Problem(
            name, None, "duration_s", f"the file lasts {decoded:.1f} s, the table says {video.duration_s:.1f} s"
        )
