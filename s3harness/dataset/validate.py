"""Checking a data set whole: its tables, and that every video file is there and can be decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from s3harness.dataset.load import BORDER_S, Dataset, opaque_id, read_dataset
from s3harness.dataset.sources import patient_names
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, Problem, Row, read_table
from s3harness.errors import MediaError
from s3harness.types import Video


def validate_dataset(directory: Path, *, media: bool = True) -> tuple[Dataset, list[Problem]]:
    """Everything that is wrong with a data set directory.

    With ``media`` the packets of every video file are read and its first picture is decoded. Raises
    :class:`~s3harness.errors.DatasetError` if the directory is none.
    """
    dataset, problems = read_dataset(directory)
    problems += _name_problems(directory, dataset)
    if media:
        rows = {opaque_id(row["video_id"]): row for row in read_table(directory / "videos.csv", VIDEOS, (), [])}
        for video in dataset.videos:
            problems += _media_problems(video, rows[video.id])
    return dataset, problems


def _name_problems(directory: Path, dataset: Dataset) -> Iterator[Problem]:
    """Patients who are named in what experts wrote: a model is shown reports, and both may be shared as the truth."""
    names = patient_names(directory, dataset.videos)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")
    message = "a patient is named; take the name out, for this may be shown to a model, and shared"
    for file, columns, column in (("reports.csv", REPORTS, "report"), ("features.csv", FEATURES, "justification")):
        rows = read_table(directory / file, columns, (), []) if names else ()
        yield from (row.problem(column, message) for row in rows if named.search(row[column]))


def _media_problems(video: Video, row: Row) -> Iterator[Problem]:
    from s3harness.media import probe

    if video.path is None:
        return
    if not video.path.is_file():
        yield row.problem("file", "the file is missing")
        return
    try:
        decoded = probe(video.path).duration_s
    except MediaError as error:
        yield row.problem("file", str(error))
        return
    if video.duration_s is None and (latest := _latest(video)) > decoded + BORDER_S:
        yield row.problem("file", f"the file lasts {decoded:.1f} s, and {latest:g} s is annotated in it")
    elif video.duration_s is not None and abs(decoded - video.duration_s) > BORDER_S:
        message = f"the file lasts {decoded:.1f} s, the table says {video.duration_s:.1f} s"
        yield row.problem("duration_s", message)


def _latest(video: Video) -> float:
    """The latest time that is annotated in a video; 0 if there is none."""
    times = [time for label in video.features.values() for time in (label.start_s, label.end_s)]
    return max([time for time in (*times, video.onset_s, video.offset_s) if time is not None], default=0.0)
