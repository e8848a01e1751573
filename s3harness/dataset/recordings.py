"""Statements about signs on the time line of a recording: the form in which annotations are exchanged with other tools.

A data set, a run and a file of an annotation tool all become :class:`Recording` objects, so that an exporter or an
importer knows one form alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from s3harness.dataset.load import Dataset
from s3harness.specs.features import vocabulary
from s3harness.types import Presence, Side, Video

SEIZURE = "seizure"
"""Name of the statement about the whole event, from its onset to its offset."""
TRUTH = "truth"
"""Source of the annotations of a data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignStatement:
    """One statement about one sign: by one annotator, or by a model.

    ``start_s`` and ``end_s`` are seconds from the start of the video, ``side`` is the patient's own, ``certainty`` is
    what the source calls it (a word, or a probability), empty where it says nothing.
    """

    sign: str
    present: Presence = "yes"
    start_s: float | None = None
    end_s: float | None = None
    side: Side | None = None
    certainty: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One video with the statements of each source about it; ``file`` is its path relative to the data set."""

    id: str
    patient: str = field(default="", repr=False)
    file: str = field(default="", repr=False)
    duration_s: float | None = None
    statements: Mapping[str, tuple[SignStatement, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSet:
    """All recordings of an export, and the names of the signs that may occur in it → title."""

    name: str
    recordings: tuple[Recording, ...]
    signs: Mapping[str, str]

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of the sources, in the order of their first statement."""
        return tuple(dict.fromkeys(source for one in self.recordings for source in one.statements))


def sign_titles() -> dict[str, str]:
    """Return name → title of everything that a statement can be about: signs, further signs, and the seizure."""
    words = vocabulary()
    titles = {feature.name: feature.title for feature in words.features}
    further = {name: name.replace("_", " ").capitalize() for name in words.signs}
    return {**titles, **further, SEIZURE: "Seizure"}


def annotation_set(dataset: Dataset, directory_of_videos: bool = True) -> AnnotationSet:
    """Return the annotations of a data set; patients get numbers in the order of the table."""
    numbers: dict[str, int] = {}
    recordings = tuple(
        Recording(
            id=video.id,
            patient=f"{numbers.setdefault(video.patient, len(numbers) + 1):04}",
            file=_file(video) if directory_of_videos else "",
            duration_s=video.duration_s,
            statements={TRUTH: statements_of(video)},
        )
        for video in dataset.videos
    )
    return AnnotationSet(name=dataset.name, recordings=recordings, signs=sign_titles())


def statements_of(video: Video) -> tuple[SignStatement, ...]:
    """Return the annotations of a video: the seizure first, then each sign in the order of the data set."""
    seizure = []
    if video.onset_s is not None or video.offset_s is not None:
        seizure = [SignStatement(sign=SEIZURE, start_s=video.onset_s, end_s=video.offset_s)]
    signs = (
        SignStatement(
            sign=name,
            present=label.present,
            start_s=label.start_s,
            end_s=label.end_s,
            side=label.side,
            certainty=label.certainty or "",
            note=label.justification,
        )
        for name, label in video.features.items()
    )
    return (*seizure, *signs)


def unplaced(dataset: Dataset) -> list[str]:
    """Return a line for each kind of annotation of a data set that is no statement about a sign."""
    counts = {
        "diagnosis": sum(video.diagnosis is not None for video in dataset.videos),
        "report": sum(bool(video.report) for video in dataset.videos),
        "body part of onset": sum(bool(video.onset_body_part) for video in dataset.videos),
    }
    return [f"{name} of {n} video{'' if n == 1 else 's'}" for name, n in counts.items() if n]


def _file(video: Video) -> str:
    # The opaque id names the file, whatever it was called before.
    return str(PurePosixPath("videos") / f"{video.id}{video.path.suffix.lower()}") if video.path else ""
