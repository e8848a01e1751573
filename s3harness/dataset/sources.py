"""What the ids of a data set stand for: the names that an import keeps in ``private/``, and that nothing else may hold.

They are read to be looked for: in errors before these are written, and in whatever would be shared. A picture may have
a name burnt in, and a model that reads it aloud knows nothing of ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from s3harness.dataset import load
from s3harness.dataset.identity import source_key
from s3harness.dataset.tables import Problem, Row, read_table
from s3harness.errors import DatasetError
from s3harness.types import Video

COLUMNS = ("video_id", "source", "patient")

_NAME = re.compile(r"[^\W\d_]{3,}")
_SHORT_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_ORDINARY = {"case", "child", "control", "epilepsy", "female", "male", "patient", "person", "seizure", "subject"}
"""Words that patients are numbered with, and that tell of none."""


def read_sources(directory: Path) -> list[Row]:
    """The rows of ``private/sources.csv``; none where there is none, or where it is not for this user to read.

    Raises :class:`DatasetError` if it is no table.
    """
    path = directory / "private" / "sources.csv"
    try:
        if not path.is_file():
            return []
    except PermissionError:
        return []
    problems: list[Problem] = []
    rows = list(read_table(path, COLUMNS, (), problems))
    if problems:
        raise DatasetError(f"private/{problems[0]}")
    return rows


def source_names(directory: Path) -> dict[str, str]:
    """Return video id → what the source calls the video; empty where that is not known, or not for this user to read.

    Ids are those that videos go by outside the data set.
    """
    return {load.opaque_id(row["video_id"]): source_key(row["source"]) for row in read_sources(directory)}


def private_words(directory: Path, videos: Iterable[Video]) -> set[str]:
    """The words that may not leave the process: those of these videos, and what all were called before the import."""
    videos = tuple(videos)
    before = patient_names(directory, videos)
    for row in read_sources(directory):
        file = PurePath(row["source"])
        before |= {row["source"], file.name, file.stem}
    ids = {video.id for video in videos}
    return load.private_words(videos) | {word for word in before if _tells(word)} - ids


def patient_names(directory: Path, videos: Iterable[Video]) -> set[str]:
    """The patients of these videos, and of the import: each name as a whole, and each of its words with a capital."""
    names = {video.patient for video in videos} | {row["patient"] for row in read_sources(directory)}
    return {word for name in names for word in (name, *_words(name)) if _tells(word)}


def _tells(word: str) -> bool:
    return bool(word) and word.lower() not in _ORDINARY and not _SHORT_NUMBER.fullmatch(word)


def _words(name: str) -> Iterator[str]:
    return (match[0] for match in _NAME.finditer(name) if match[0][0].isupper())
