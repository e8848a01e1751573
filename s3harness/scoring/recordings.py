"""The answers of a run as statements on the time line of each video, beside the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from s3harness.dataset.load import Dataset
from s3harness.dataset.recordings import (
    SEIZURE,
    TRUTH,
    AnnotationSet,
    Recording,
    SignStatement,
    annotation_set,
    sign_titles,
)
from s3harness.dataset.references import BOUNDARIES
from s3harness.errors import UsageError
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_run import read_run
from s3harness.types import Presence, Side

KINDS = ("feature", "laterality", "boundary", "sequence")
"""Kinds of items whose answers are about a sign."""


def recordings_of_run(directory: Path, dataset: Dataset | None = None) -> tuple[AnnotationSet, list[str]]:
    """Return the statements of a run's model and the truth of its items, and notes of what is not among them.

    With ``dataset`` the truth is that of the data set, which also knows ends and files. Raises
    :class:`UsageError` if the data set has none of the run's videos, or the directory holds no run.
    """
    tasks = read_run(directory, kinds=KINDS)
    model, truth = _Statements(), _Statements()
    patients: dict[str, int] = {}
    lost: Counter[str] = Counter()
    for name, task in tasks.items():
        for reference, prediction in zip(task.references, task.predictions, strict=True):
            patients[reference.video_id] = reference.cluster
            truth.add(reference.video_id, task.spec.item, reference.subject, reference.truth)
            if prediction.status in ("answered", "partial"):
                value, probability = prediction.value, prediction.probability
                model.add(reference.video_id, task.spec.item, reference.subject, value, probability)
            else:
                lost[f"{name}: {prediction.status}"] += 1
    known = {one.id: one for one in annotation_set(dataset).recordings} if dataset else {}
    if dataset and not patients.keys() & known.keys():
        raise UsageError("the data set has none of the videos of this run; name the data set that was run")
    manifest = read_manifest(directory)
    source = str(manifest["run"]["model"].get("name") or manifest["run"]["backend"])
    recordings = tuple(
        replace(
            known.get(video, Recording(id=video, patient=f"{cluster + 1:04}")),
            statements={
                TRUTH: _without_notes(known[video]) if video in known else truth.of(video),
                source: model.of(video),
            },
        )
        for video, cluster in patients.items()
    )
    notes = [f"{number} without a readable answer ({what})" for what, number in sorted(lost.items())]
    return AnnotationSet(name=source, recordings=recordings, signs=sign_titles()), notes


def _without_notes(recording: Recording) -> tuple[SignStatement, ...]:
    # The annotators' own words may name people; a data set is searched for that when it is exported itself.
    return tuple(replace(one, note="") for one in recording.statements[TRUTH])


@dataclass
class _Statements:
    """Answers about signs, by video and sign, until they are put together."""

    present: dict[tuple[str, str], tuple[str, float | None]] = field(default_factory=dict)
    starts: dict[tuple[str, str], float] = field(default_factory=dict)
    sides: dict[tuple[str, str], str] = field(default_factory=dict)
    order: dict[tuple[str, str], tuple[int, float | None]] = field(default_factory=dict)
    seizure: defaultdict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, video: str, kind: str, subject: str, value: object, probability: float | None = None) -> None:
        if kind == "feature":
            self.present[video, subject] = str(value), probability
        elif kind == "boundary" and subject in BOUNDARIES:
            self.seizure[video][subject] = _seconds(value)
        elif kind == "boundary":
            self.starts[video, subject] = _seconds(value)
        elif kind == "laterality" and value in ("left", "right", "both"):
            self.sides[video, subject] = str(value)
        elif kind == "sequence" and isinstance(value, list | tuple):
            # The truth has times, a model's answer names the signs alone.
            for place, event in enumerate(value, start=1):
                sign, at = (event, None) if isinstance(event, str) else event
                self.order.setdefault((video, str(sign)), (place, at))

    def of(self, video: str) -> tuple[SignStatement, ...]:
        onset, offset = (self.seizure[video].get(name) for name in BOUNDARIES)
        keys = [*self.present, *self.starts, *self.order, *self.sides]
        signs = dict.fromkeys(sign for of_video, sign in keys if of_video == video)
        statements = [one for sign in signs for one in self._of_sign((video, sign))]
        if onset is not None or offset is not None:
            # A model may answer with an offset before its onset: both are kept, as two statements.
            is_span = onset is None or offset is None or onset <= offset
            spans = [(onset, offset)] if is_span else [(onset, None), (None, offset)]
            statements[:0] = [SignStatement(sign=SEIZURE, start_s=start, end_s=end) for start, end in spans]
        return tuple(statements)

    def _of_sign(self, key: tuple[str, str]) -> Iterable[SignStatement]:
        answer, probability = self.present.get(key, ("yes", None))
        present: Presence = "no" if answer == "no" else "untested" if answer in ("untested", "na") else "yes"
        place, at = self.order.get(key, (0, None))
        start = self.starts.get(key, at)
        note = f"event {place} in order" if place and start is None else ""
        certainty = "" if probability is None else f"{probability:.3f}"
        side: Any = self.sides.get(key)
        if present == "yes":
            yield _statement(key[1], present, start, side, certainty, note)
            return
        yield _statement(key[1], present, None, None, certainty, "")
        # Asked when a sign that is there begins, a model may answer with a time although it denied the sign before.
        if start is not None or side is not None or note:
            yield _statement(key[1], "yes", start, side, "", note)


def _statement(
    sign: str, present: Presence, start_s: float | None, side: Side | None, certainty: str, note: str
) -> SignStatement:
    return SignStatement(sign=sign, present=present, start_s=start_s, side=side, certainty=certainty, note=note)


def _seconds(value: object) -> float:
    # Values of predictions and truths of these kinds were checked when they were read.
    assert isinstance(value, int | float)
    return float(value)
