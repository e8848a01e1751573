"""Names that the ids of a data set stand for, which an import keeps in ``private/`` and no other file may contain.

They are read in order to search for them: in errors before these are written, and in every file that would be shared.
A model may read a name that is burnt into the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from s3harness.dataset import load
from s3harness.dataset.identity import source_key
from s3harness.dataset.tables import Problem, Row, read_table
from s3harness.errors import DatasetError
from s3harness.guard.identifiers.normalization import fold
from s3harness.guard.identifiers.own_words import OwnWords
from s3harness.guard.identifiers.search import Search
from s3harness.guard.identifiers.vocabulary import eponyms, given_names, is_ordinary
from s3harness.guard.review import folder_of_dataset, read_reviewed
from s3harness.types import Video

COLUMNS = ("video_id", "source", "patient")

_NAME = re.compile(r"[^\W\d_]{3,}")
_LETTERS = re.compile(r"[^\W\d_]+")
_SHORT_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_ORDINARY = {"case", "child", "control", "epilepsy", "female", "male", "patient", "person", "seizure", "subject"}
"""Words that stand beside the numbers of patients and identify none."""


def read_sources(directory: Path) -> list[Row]:
    """Return the rows of ``private/sources.csv``; none where it is missing or this user may not read it.

    Raises :class:`DatasetError` if it is no table.
    """
    path = directory / "private" / "sources.csv"
    try:
        if not path.is_file():
            return []
    # private/ may belong to another user, who keeps the names from those who only run models.
    except PermissionError:
        return []
    problems: list[Problem] = []
    rows = list(read_table(path, COLUMNS, (), problems))
    if problems:
        raise DatasetError(f"private/{problems[0]}")
    return rows


def own_words(directory: Path, videos: Iterable[Video]) -> OwnWords:
    """Return the private words of a data set, to be looked for in any form of writing."""
    return OwnWords.of(private_words(directory, videos))


def search_of(directory: Path, videos: Iterable[Video]) -> Search:
    """Return the search for a data set's own words and any identifier, without what its owner has reviewed."""
    return Search(own_words(directory, videos), reviewed=read_reviewed(folder_of_dataset(directory)))


def source_names(directory: Path) -> dict[str, str]:
    """Return video id → name of the video in the source; empty where unknown, or where this user may not read it.

    Ids are those that videos go by outside the data set.
    """
    return {load.opaque_id(row["video_id"]): source_key(row["source"]) for row in read_sources(directory)}


def private_words(directory: Path, videos: Iterable[Video]) -> set[str]:
    """Return the words that may not leave the process: of these videos, and the names of all in the source.

    Names of people are among them in every order, and with an initial, as ``Roe^Jane`` and ``J. Roe``.
    """
    videos = tuple(videos)
    sources = read_sources(directory)
    before = patient_names(directory, videos)
    for row in sources:
        file = PurePath(row["source"])
        before |= {row["source"], file.name, file.stem}
    before |= {form for name in tuple(before) for form in _forms(name)} | _names_in_files(sources)
    ids = {video.id for video in videos}
    return load.private_words(videos) | {word for word in before if _identifies(word)} - ids


def patient_names(directory: Path, videos: Iterable[Video]) -> set[str]:
    """Return the patients of these videos, and of the import: each as a whole, and each word of it that is a name."""
    names = {video.patient for video in videos} | {row["patient"] for row in read_sources(directory)}
    return {word for name in names for word in (name, *_words(name)) if _identifies(word)}


def _forms(name: str) -> Iterator[str]:
    """Yield a name of two parts the other way round, and with the initial of either."""
    parts = _LETTERS.findall(name)
    # With more parts or digits it is hardly a person's name, and its forms would hit other words.
    if len(parts) == 2 and not any(character.isdigit() for character in name) and min(map(len, parts)) > 1:
        first, second = parts
        yield from (f"{second} {first}", f"{first[0]}. {second}", f"{second[0]}. {first}")


def _names_in_files(sources: Sequence[Row]) -> set[str]:
    """Return given names in file names, and the words with a capital letter beside them."""
    words = set()
    for row in sources:
        parts = _NAME.findall(PurePath(row["source"]).stem)
        # Without a given name, capitals in a file name are mostly words of the recorder.
        if any(fold(part) in given_names() for part in parts):
            words |= {part for part in parts if part[0].isupper() and not is_ordinary(part, but=eponyms())}
    return words


def _identifies(word: str) -> bool:
    # These stand in every report, and their hits would hide the real ones.
    return bool(word) and word.lower() not in _ORDINARY and not _SHORT_NUMBER.fullmatch(word)


def _words(name: str) -> Iterator[str]:
    """Yield the words of a patient's name: those with a capital letter, and all where one is a given name."""
    parts = _NAME.findall(name)
    is_person = any(fold(part) in given_names() for part in parts)
    return (part for part in parts if part[0].isupper() or is_person)
