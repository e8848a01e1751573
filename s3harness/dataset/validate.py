"""Validation of a whole data set: its tables, and that every video file is there and can be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from s3harness.dataset.load import BORDER_S, Dataset, opaque_id, read_dataset
from s3harness.dataset.sources import search_of
from s3harness.dataset.tables import FEATURES, REPORTS, VIDEOS, Problem, Row, read_table
from s3harness.errors import MediaError
from s3harness.guard.identifiers.kinds import KINDS, Identifier
from s3harness.guard.identifiers.search import fingerprint, masked
from s3harness.types import Video


def validate_dataset(directory: Path, *, media: bool = True) -> tuple[Dataset, list[Problem]]:
    """Load a data set directory and return it with all its problems.

    With ``media`` the packets of every video file are read and its first picture is decoded. Raises
    :class:`~s3harness.errors.DatasetError` if the directory is none.
    """
    dataset, problems = read_dataset(directory)
    problems += [written.problem for written in written_identifiers(directory, dataset)]
    if media:
        # Problems are reported at the table's line, which a loaded video no longer has.
        rows = {opaque_id(row["video_id"]): row for row in read_table(directory / "videos.csv", VIDEOS, (), [])}
        for video in dataset.videos:
            problems += _media_problems(video, rows[video.id])
    return dataset, problems


@dataclass(frozen=True, slots=True)
class WrittenIdentifier:
    """Identifier in a text of the experts: its place, its kind, and the fingerprint that a confirmation is kept by."""

    row: Row
    column: str
    identifier: Identifier
    shown: str
    fingerprint: str

    @property
    def problem(self) -> Problem:
        """The problem of this identifier: models are shown reports, and both tables may be shared as the truth."""
        kind = KINDS[self.identifier.kind]
        if self.identifier.tier == "certain":
            what = "a patient is named" if self.identifier.kind == "private" else f"holds {kind}"
            message = f"{what} ({self.shown}); remove it, because this text may be sent to a model and shared"
        else:
            message = f"may hold {kind} ({self.shown}); check it, and remove it or confirm it with --reviewed"
        return self.row.problem(self.column, message)


def written_identifiers(directory: Path, dataset: Dataset) -> Iterator[WrittenIdentifier]:
    """Yield the identifiers in reports and justifications, without those that the owner has reviewed."""
    search = search_of(directory, dataset.videos)
    for file, columns, column in (("reports.csv", REPORTS, "report"), ("features.csv", FEATURES, "justification")):
        for row in read_table(directory / file, columns, (), []) if (directory / file).is_file() else ():
            identifiers = search(row[column])
            for one in identifiers:
                # Masked: the message itself must not spread the identifier.
                shown = masked(row[column], one, identifiers)
                yield WrittenIdentifier(row, column, one, shown, fingerprint(row[column], one))


def _media_problems(video: Video, row: Row) -> Iterator[Problem]:
    from s3harness.media import probe

    if video.path is None:
        return
    if not video.path.is_file():
        yield row.problem("file", "the file is missing")
        return
    try:
        # From the packets, since a header may promise more than the file holds.
        decoded = probe(video.path).duration_s
    except MediaError as error:
        yield row.problem("file", str(error))
        return
    # Without a duration in the table, only annotations beyond the end can show a wrong file.
    if video.duration_s is None and (latest := _latest(video)) > decoded + BORDER_S:
        yield row.problem("file", f"the file lasts {decoded:.1f} s, and {latest:g} s is annotated in it")
    elif video.duration_s is not None and abs(decoded - video.duration_s) > BORDER_S:
        message = f"the file lasts {decoded:.1f} s, the table says {video.duration_s:.1f} s"
        yield row.problem("duration_s", message)


def _latest(video: Video) -> float:
    """Return the latest time that is annotated in a video; 0 if there is none."""
    times = [time for label in video.features.values() for time in (label.start_s, label.end_s)]
    return max([time for time in (*times, video.onset_s, video.offset_s) if time is not None], default=0.0)
