"""Sources of cases: a run directory, a released model, or a data set's own annotations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """The data set of cases.

    With ``by_place_alone``, patients are recognised only within the very same state of the data set: a run directory
    holds no patients, only the ids of the videos in its requests.
    """

    name: str
    version: str
    fingerprint: str
    by_place_alone: bool


@dataclass(frozen=True, slots=True)
class DirectAnswers:
    """A model's own answers to a question of Task 7.

    ``is_requested`` (n,) is the mask of the videos with such a request; ``says_es`` (n,) is 1 for ES, 0 for NES, NaN
    for no answer.
    """

    subject: str
    is_requested: NDArray[np.bool_]
    says_es: Array


@dataclass(frozen=True, kw_only=True, slots=True)
class DiagnosisSource:
    """One model's (or the annotators') signs of some videos, and the annotations of these and perhaps of more videos.

    A patient has the same number in ``perceived`` and ``annotated``. ``direct`` are the Task-7 answers in the order of
    ``perceived``. ``release_model`` is the model's name if the predictions are released ones, else empty.
    """

    name: str
    origin: Origin
    perceived: Cases
    annotated: Cases
    direct: tuple[DirectAnswers, ...]
    notes: tuple[str, ...]
    release_model: str = ""


def source_of_run(directory: Path, data: Path | None = None) -> DiagnosisSource:
    """Return the predictions of a run directory, with the diagnoses that are the truth of its Task-7 items.

    ``data`` is the directory of the run's data set, for diagnoses, splits, further annotated patients, and for
    recognising patients elsewhere. Raises :class:`UsageError` for a run without Task 1, or of another data set, and
    :class:`S3HarnessError` for a run without a readable answer.
    """
    run = read_manifest(directory)["run"]
    tasks = {task.spec.item: task for task in read_run(directory, kinds=KINDS).values()}
    if "feature" not in tasks:
        tasks_of_run = ", ".join(run["tasks"]) or "none"
        raise UsageError(
            f"{directory} has no answers to Task 1, from which the diagnosis is made (its tasks: {tasks_of_run}); "
            "run the model again with --tasks 1,7"
        )
    about = {key: str(run["dataset"][key]) for key in ("name", "version", "fingerprint")}
    dataset = _same_dataset(data, about["fingerprint"], directory) if data else None
    name = directory.resolve().name
    notes = ("these answers come from a yardstick that sees the truth, not from a model",) if run["sees_truth"] else ()
    if dataset is None:
        return _source_of_run_alone(name, Origin(**about, by_place_alone=True), tasks, notes)
    origin = Origin(**about, by_place_alone=False)
    annotated = cases_of_videos(dataset.videos, _numbers(dataset.videos), _marks(dataset, data))
    return _join(name, origin, tasks, annotated, notes)


def source_of_release(release: Release, annotations: Annotations, model: str) -> DiagnosisSource:
    """Return the released predictions of a model, with the annotations of all labelled videos."""
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
    return _join(model, origin, tasks, annotated, notes, model)


def source_of_dataset(directory: Path) -> DiagnosisSource:
    """Return the annotations of a data set as if they were a model's answers."""
    dataset = load_dataset(directory)
    cases = cases_of_videos(dataset.videos, _numbers(dataset.videos), _marks(dataset, directory))
    origin = Origin(dataset.name, dataset.version, dataset.fingerprint, by_place_alone=False)
    name = directory.resolve().name
    return DiagnosisSource(name=name, origin=origin, perceived=cases, annotated=cases, direct=(), notes=())


def is_checkout(path: Path) -> bool:
    """Return ``True`` for a checkout of the authors' release, by the folder of its truth."""
    return (path / "result" / "ground_truth").is_dir()


def sources_at(
    paths: Iterable[Path], data: Path | None, models: Sequence[str], part: str
) -> Iterator[tuple[str, Callable[[], DiagnosisSource]]]:
    """Yield name and reader of each source: a run directory, or the ``models`` of a checkout's ``part``.

    ``data`` is the data set of the runs. Nothing is read yet, so that one source that fails does not stop the others.
    """
    for path in paths:
        if is_checkout(path):
            yield from _released_at(path, models, part)
        else:
            yield str(path), partial(source_of_run, path, data)


def source_at(path: Path, data: Path | None, models: Sequence[str], part: str) -> tuple[str, DiagnosisSource]:
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


def _released_at(path: Path, models: Sequence[str], part: str) -> Iterator[tuple[str, Callable[[], DiagnosisSource]]]:
    release = open_release(path, "full" if part == "full" else "test")
    annotations = read_annotations(release)  # once for all models
    for model in chosen_models(release, models):
        yield model, partial(source_of_release, release, annotations, model)


def cases_of_videos(videos: Iterable[Video], numbers: Mapping[str, int], marks: Marks) -> Cases:
    """Return the annotations of videos as cases; videos without any annotated sign are left out."""
    signs = vocabulary().names
    # A video without any sign was not annotated: it holds nothing to learn from, or to compare answers with.
    annotated = [video for video in videos if any(sign in video.features for sign in signs)]
    vectors = [[presence_of_truth(v.features[s].present if s in v.features else "") for s in signs] for v in annotated]
    return Cases(
        signs=signs,
        videos=tuple(video.id for video in annotated),
        patients=np.array([numbers[video.patient] for video in annotated], dtype=np.int64),
        # Reshaped, as an array of no rows has no columns either.
        vectors=np.array(vectors, dtype=np.float64).reshape(len(annotated), len(signs)),
        truth=np.array([_label(video.diagnosis) for video in annotated], dtype=np.float64),
        splits=tuple(video.split for video in annotated),
        marks=marks,
    )


def _source_of_run_alone(
    name: str, origin: Origin, tasks: Mapping[str, ScoredTask], notes: tuple[str, ...]
) -> DiagnosisSource:
    """Return the source of a run without its data set, with the truths of its items in the place of annotations."""
    references = tasks["feature"].references
    labels = {r.video_id: str(r.truth) for r in (tasks["diagnosis"].references if "diagnosis" in tasks else ())}
    patients = {reference.video_id: reference.cluster for reference in references}
    # A run's items have numbers of patients, which another run of the data set may not share; ids of videos it does.
    marks = defaultdict(set)
    for video, patient in patients.items():
        marks[patient].add(place_mark(origin.fingerprint, video))
    truths = {(r.video_id, r.subject): presence_of_truth(r.truth) for r in references}
    annotated = Cases(
        signs=vocabulary().names,
        videos=tuple(patients),
        patients=np.array(list(patients.values()), dtype=np.int64),
        vectors=_vectors(truths, list(patients), vocabulary().names),
        truth=np.array([_label(labels.get(video)) for video in patients], dtype=np.float64),
        splits=("",) * len(patients),
        marks={patient: frozenset(own) for patient, own in marks.items()},
    )
    return _join(name, origin, tasks, annotated, notes)


def _join(
    name: str,
    origin: Origin,
    tasks: Mapping[str, ScoredTask],
    annotated: Cases,
    notes: tuple[str, ...],
    model: str = "",
) -> DiagnosisSource:
    """Return the source of predictions, in the order of the annotated videos and with their patients and truths."""
    task = tasks["feature"]
    values = {
        (reference.video_id, reference.subject): presence(prediction)
        for reference, prediction in zip(task.references, task.predictions, strict=True)
    }
    videos = {reference.video_id for reference in task.references}
    subjects = {reference.subject for reference in task.references}
    signs = tuple(sign for sign in vocabulary().names if sign in subjects)
    # Only videos with a request: on others the model cannot be right or wrong.
    requested = annotated.take([video in videos for video in annotated.videos])
    perceived = replace(requested, signs=signs, vectors=_vectors(values, requested.videos, signs))
    if not perceived.is_answered.any():
        counts = Counter(prediction.status for prediction in task.predictions)
        lost = ", ".join(f"{number} {status}" for status, number in counts.most_common())
        raise S3HarnessError(f"{name}: no answer about a sign is readable ({lost}), so no diagnosis can be made")
    direct = _direct(tasks["diagnosis"], requested.videos) if "diagnosis" in tasks else ()
    return DiagnosisSource(
        name=name,
        origin=origin,
        perceived=perceived,
        annotated=annotated,
        direct=direct,
        notes=notes,
        release_model=model,
    )


def _direct(task: ScoredTask, videos: Sequence[str]) -> tuple[DirectAnswers, ...]:
    """Return the answers to Task 7 by question, in the order of the videos."""
    labels: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for reference, prediction in zip(task.references, task.predictions, strict=True):
        labels[reference.subject][reference.video_id] = _label(prediction.value)
    return tuple(
        DirectAnswers(
            subject,
            np.array([video in of_subject for video in videos], dtype=np.bool_),
            np.array([of_subject.get(video, np.nan) for video in videos], dtype=np.float64),
        )
        for subject, of_subject in labels.items()
    )


def _same_dataset(data: Path, fingerprint: str, run: Path) -> Dataset:
    dataset = load_dataset(data)
    # Annotations of another state could be of other videos under the same ids.
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
    # By sorted name, so that all sources of one data set number its patients alike.
    return {patient: number for number, patient in enumerate(sorted({video.patient for video in videos}))}


def _vectors(values: Mapping[tuple[str, str], float], videos: Sequence[str], signs: Sequence[str]) -> Array:
    unknown = presence_of_truth(None)
    rows = [[values.get((video, sign), unknown) for sign in signs] for video in videos]
    return np.array(rows, dtype=np.float64).reshape(len(videos), len(signs))


def _label(diagnosis: object) -> float:
    return {"ES": 1.0, "NES": 0.0}.get(str(diagnosis), np.nan)
