"""Where cases come from: a run directory, a released model, or a data set's own annotations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from s3harness.dataset.known_patients import Marks, patient_marks, place_mark, source_names
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.diagnosis.cases import Cases, presence, presence_of_truth
from s3harness.errors import S3HarnessError, UsageError
from s3harness.metrics.base import Array
from s3harness.paper.annotations import Annotations, read_annotations
from s3harness.paper.answers import ReleasedModel
from s3harness.paper.importer import NAME as RELEASE_NAME
from s3harness.paper.importer import VERSION as RELEASE_VERSION
from s3harness.paper.layout import Release, chosen_models, open_release, patient_of
from s3harness.paper.strict import released_task
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_run import ScoredTask, read_run
from s3harness.specs.features import vocabulary
from s3harness.types import Video

TASKS = ("s3/task1_features", "s3/task7_diagnosis")
KINDS = ("feature", "diagnosis")


@dataclass(frozen=True, slots=True)
class Origin:
    """The data set that cases are of.

    Where ``by_place_alone``, its patients are recognised only within the very same state of it: a run directory knows
    no patient, and can say no more than which videos it was asked about.
    """

    name: str
    version: str
    fingerprint: str
    by_place_alone: bool


@dataclass(frozen=True, slots=True)
class Direct:
    """A model's own answers to a question of Task 7: which of the videos it was asked, and what it said of them.

    ``says_es`` (n,) is 1 for ES, 0 for NES, NaN for no answer.
    """

    subject: str
    is_asked: NDArray[np.bool_]
    says_es: Array


@dataclass(frozen=True, slots=True)
class Source:
    """One model's (or annotator's) signs of some videos, and what the annotators say of these and perhaps of more.

    ``perceived`` and ``annotated`` number patients alike. ``direct`` are Task-7 answers in the order of ``perceived``.
    ``release_model`` is the model's name where the predictions are released ones.
    """

    name: str
    origin: Origin
    perceived: Cases
    annotated: Cases
    direct: tuple[Direct, ...]
    notes: tuple[str, ...]
    release_model: str = ""


def source_of_run(directory: Path, data: Path | None = None) -> Source:
    """The predictions of a run directory, with the diagnoses that its Task-7 items tell.

    ``data`` is the directory of the data set it was made on, for diagnoses, splits, further annotated patients, and
    for recognising patients elsewhere. Raises :class:`UsageError` for a run without Task 1, or on another data set,
    and :class:`S3HarnessError` for one of which no answer could be read.
    """
    run = read_manifest(directory)["run"]
    tasks = {task.spec.item: task for task in read_run(directory, kinds=KINDS).values()}
    if "feature" not in tasks:
        asked = ", ".join(run["tasks"]) or "nothing"
        raise UsageError(
            f"{directory} has no answers to Task 1, from which the diagnosis is made (its tasks: {asked}); "
            "run the model again with --tasks 1,7"
        )
    about = {key: str(run["dataset"][key]) for key in ("name", "version", "fingerprint")}
    dataset = _same_dataset(data, about["fingerprint"], directory) if data else None
    name = directory.resolve().name
    notes = ("these answers come from a yardstick that sees the truth, not from a model",) if run["sees_truth"] else ()
    if dataset is None:
        return _run_alone(name, Origin(**about, by_place_alone=True), tasks, notes)
    origin = Origin(**about, by_place_alone=False)
    annotated = cases_of_videos(dataset.videos, _numbers(dataset.videos), _marks(dataset, data))
    return _joined(name, origin, tasks, annotated, notes)


def source_of_release(release: Release, annotations: Annotations, model: str) -> Source:
    """The released predictions of a model, beside the annotations of all labelled videos."""
    read = [released_task(ReleasedModel(release, annotations, model), name) for name in TASKS]
    tasks = {task.spec.item: task for task, _ in read}
    videos = annotations.videos
    numbers = {video.patient: int(video.patient[1:]) for video in videos.values()}
    names = {video.id: patient_of(name) for name, video in videos.items()}
    annotated = cases_of_videos(
        annotations.labelled.values(), numbers, patient_marks(videos.values(), numbers, "", names)
    )
    origin = Origin(RELEASE_NAME, RELEASE_VERSION, "", by_place_alone=False)
    notes = tuple(dict.fromkeys(f"missing: {lack}" for _, source in read for lack in source.missing))
    return _joined(model, origin, tasks, annotated, notes, model)


def source_of_dataset(directory: Path) -> Source:
    """The annotations of a data set as if they were a model's answers."""
    dataset = load_dataset(directory)
    cases = cases_of_videos(dataset.videos, _numbers(dataset.videos), _marks(dataset, directory))
    origin = Origin(dataset.name, dataset.version, dataset.fingerprint, by_place_alone=False)
    return Source(directory.resolve().name, origin, cases, cases, (), ())


def is_checkout(path: Path) -> bool:
    """Return ``True`` for a checkout of the authors' release, by the folder of its truth."""
    return (path / "result" / "ground_truth").is_dir()


def sources_at(
    paths: Iterable[Path], data: Path | None, models: Sequence[str], part: str
) -> Iterator[tuple[str, Callable[[], Source]]]:
    """Yield name and reader of each source: a run directory, or the ``models`` of a checkout's ``part``.

    ``data`` is the data set of the runs. Nothing is read yet, so that one source that fails does not stop the others.
    """
    for path in paths:
        if is_checkout(path):
            yield from _released_at(path, models, part)
        else:
            yield str(path), partial(source_of_run, path, data)


def source_at(path: Path, data: Path | None, models: Sequence[str], part: str) -> tuple[str, Source]:
    """Read the one source that a path means: a data set, a run directory, or one model of a checkout.

    The first value is "annotations" or "predictions". :class:`UsageError` for a checkout without exactly one model.
    """
    if (path / "dataset.json").is_file():
        return "annotations", source_of_dataset(path)
    if not is_checkout(path):
        return "predictions", source_of_run(path, data)
    released = list(_released_at(path, models, part))
    if len(released) != 1:
        raise UsageError(f"{path} holds {len(released)} models; name one of them with --models")
    return "predictions", released[0][1]()


def _released_at(path: Path, models: Sequence[str], part: str) -> Iterator[tuple[str, Callable[[], Source]]]:
    release = open_release(path, "full" if part == "full" else "test")
    annotations = read_annotations(release)  # once for all models
    for model in chosen_models(release, models):
        yield model, partial(source_of_release, release, annotations, model)


def cases_of_videos(videos: Iterable[Video], numbers: Mapping[str, int], marks: Marks) -> Cases:
    """What the annotators say of videos; those without any annotated sign are left out."""
    signs = vocabulary().names
    kept = [video for video in videos if any(sign in video.features for sign in signs)]
    vectors = [[presence_of_truth(v.features[s].present if s in v.features else "") for s in signs] for v in kept]
    return Cases(
        signs,
        tuple(video.id for video in kept),
        np.array([numbers[video.patient] for video in kept], dtype=np.int64),
        np.array(vectors, dtype=np.float64).reshape(len(kept), len(signs)),
        np.array([_label(video.diagnosis) for video in kept], dtype=np.float64),
        tuple(video.split for video in kept),
        marks,
    )


def _run_alone(name: str, origin: Origin, tasks: Mapping[str, ScoredTask], notes: tuple[str, ...]) -> Source:
    """A run with nothing but what it holds itself."""
    references = tasks["feature"].references
    labels = {r.video_id: str(r.truth) for r in (tasks["diagnosis"].references if "diagnosis" in tasks else ())}
    patients = {reference.video_id: reference.cluster for reference in references}
    marks = defaultdict(set)
    for video, patient in patients.items():
        marks[patient].add(place_mark(origin.fingerprint, video))
    truths = {(r.video_id, r.subject): presence_of_truth(r.truth) for r in references}
    annotated = Cases(
        vocabulary().names,
        tuple(patients),
        np.array(list(patients.values()), dtype=np.int64),
        _vectors(truths, list(patients), vocabulary().names),
        np.array([_label(labels.get(video)) for video in patients], dtype=np.float64),
        ("",) * len(patients),
        {patient: frozenset(own) for patient, own in marks.items()},
    )
    return _joined(name, origin, tasks, annotated, notes)


def _joined(
    name: str,
    origin: Origin,
    tasks: Mapping[str, ScoredTask],
    annotated: Cases,
    notes: tuple[str, ...],
    model: str = "",
) -> Source:
    """The predictions in the order of the annotated videos, with who and what these are."""
    task = tasks["feature"]
    said = {
        (reference.video_id, reference.subject): presence(prediction)
        for reference, prediction in zip(task.references, task.predictions, strict=True)
    }
    videos = {reference.video_id for reference in task.references}
    subjects = {reference.subject for reference in task.references}
    signs = tuple(sign for sign in vocabulary().names if sign in subjects)
    known = annotated.take([video in videos for video in annotated.videos])
    perceived = Cases(
        signs,
        known.videos,
        known.patients,
        _vectors(said, known.videos, signs),
        known.truth,
        known.splits,
        known.marks,
    )
    if not perceived.is_answered.any():
        counts = Counter(prediction.status for prediction in task.predictions)
        lost = ", ".join(f"{number} {status}" for status, number in counts.most_common())
        raise S3HarnessError(f"{name}: no answer about a sign is readable ({lost}), so no diagnosis can be made")
    direct = _direct(tasks["diagnosis"], known.videos) if "diagnosis" in tasks else ()
    return Source(name, origin, perceived, annotated, direct, notes, model)


def _direct(task: ScoredTask, videos: Sequence[str]) -> tuple[Direct, ...]:
    """Task 7 by question, in the order of the videos."""
    said: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for reference, prediction in zip(task.references, task.predictions, strict=True):
        said[reference.subject][reference.video_id] = _label(prediction.value)
    return tuple(
        Direct(
            subject,
            np.array([video in of_subject for video in videos], dtype=np.bool_),
            np.array([of_subject.get(video, np.nan) for video in videos], dtype=np.float64),
        )
        for subject, of_subject in said.items()
    )


def _same_dataset(data: Path, fingerprint: str, run: Path) -> Dataset:
    dataset = load_dataset(data)
    if dataset.fingerprint != fingerprint:
        raise UsageError(
            f"{data} is not the data set of {run}, or has changed since (their fingerprints differ); name that "
            "data set, or leave --data out"
        )
    return dataset


def _marks(dataset: Dataset, directory: Path | None) -> Marks:
    names = source_names(directory) if directory else {}
    return patient_marks(dataset.videos, _numbers(dataset.videos), dataset.fingerprint, names)


def _numbers(videos: Collection[Video]) -> dict[str, int]:
    return {patient: number for number, patient in enumerate(sorted({video.patient for video in videos}))}


def _vectors(values: Mapping[tuple[str, str], float], videos: Sequence[str], signs: Sequence[str]) -> Array:
    unknown = presence_of_truth(None)
    rows = [[values.get((video, sign), unknown) for sign in signs] for video in videos]
    return np.array(rows, dtype=np.float64).reshape(len(videos), len(signs))


def _label(diagnosis: object) -> float:
    return {"ES": 1.0, "NES": 0.0}.get(str(diagnosis), np.nan)
