"""Training sets: every request that an evaluation would ask of the training patients, with the answer to learn.

The requests are made by the evaluation's own plan, so that prompts, samplers and protocol are those a model is scored
by. A sample is one clip with one prompt; patients held out are in none. All is fixed by the data set and the seed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from s3harness.dataset.load import Dataset, load_dataset
from s3harness.errors import UsageError
from s3harness.run.plan import Plan, plan_video
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard, load_model
from s3harness.specs.sampling import with_sampling
from s3harness.specs.tasks import PROTOCOLS, TaskSpec, check_choice, resolve
from s3harness.training.balance import BALANCES, balanced
from s3harness.training.items import ClipTruth, clip_truth
from s3harness.training.sample import Sample
from s3harness.training.split import Division, divide
from s3harness.transforms.mirror import mirrored_video
from s3harness.types import Reference, Request, Video

VIDEO_ONLY = ModelCard("training", modalities=("video",))
"""Who is trained if nobody says: a model that sees and does not hear."""


@dataclass(frozen=True, slots=True)
class SetSettings:
    """What a user says of a training set.

    ``tasks`` none means all; ``model`` is a card by name. Training patients are those of the data set's ``split``, or
    all but a share ``held_out`` (0–1) of them. ``jitters`` is how many places a clip with a drawn place is cut at,
    ``mirror`` adds every sample's mirror image, ``balance`` is one of :data:`~s3harness.training.balance.BALANCES`,
    ``leave_out_constant`` drops questions that have only one answer where they otherwise are an error. ``sampling``
    is that of an evaluation (:func:`~s3harness.specs.sampling.with_sampling`).
    """

    tasks: Sequence[str] = ()
    model: str | None = None
    protocol: str = "strict"
    split: str | None = None
    held_out: float = 0.2
    seed: int = 0
    jitters: int = 1
    mirror: bool = True
    balance: str = "repeat"
    leave_out_constant: bool = False
    sampling: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingSet:
    """The samples, and where they come from. ``specs`` are the tasks by name, ``left_out`` counts reasons."""

    settings: SetSettings
    dataset: Dataset = field(repr=False)
    division: Division = field(repr=False)
    specs: Mapping[str, TaskSpec] = field(repr=False)
    samples: Sequence[Sample] = field(repr=False)
    left_out: Mapping[str, int]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that a trainer is given, in its order; ids stand for requests and answers."""
        digest = hashlib.sha256()
        for sample in self.samples:
            digest.update(f"{sample.id} {sample.references!r}\n".encode())
        return digest.hexdigest()

    def of_task(self, task: str) -> list[Sample]:
        """The samples that a task scores."""
        return [sample for sample in self.samples if sample.question.reference(task)]

    def video_of(self, sample: Sample) -> Video:
        """The annotated video that a sample shows, mirrored if the sample is."""
        videos = {video.id: video for video in self.division.training}
        found = videos[sample.request.clip.video_id]
        return mirrored_video(found) if sample.mirrored else found


def build_training_set(data: Path, settings: SetSettings) -> TrainingSet:
    """The training set of a data set directory; no video file is opened.

    Raises :class:`UsageError` for too few patients, a video without a length, or a question with only one answer.
    """
    _check(settings)
    dataset = load_dataset(data)
    division = divide(dataset.videos, split=settings.split, held_out=settings.held_out, seed=settings.seed)
    _need_lengths(division.training)
    model = load_model(settings.model) if settings.model else VIDEO_ONLY
    specs = _specs(settings, model)
    left_out: Counter[str] = Counter()
    asked = list(_samples(replace(dataset, videos=division.training), specs, model, settings, left_out))
    if not asked:
        raise UsageError("no task has a sample in the training patients' annotations; name other --tasks, or a split")
    kinds = {spec.name: spec.item for spec in specs.values()}
    samples = balanced(asked, kinds, settings.balance, settings.seed, settings.leave_out_constant, left_out)
    return TrainingSet(settings, dataset, division, specs, samples, dict(left_out))


def samples_of(made: TrainingSet, videos: Sequence[Video], model: ModelCard) -> list[Sample]:
    """The samples of other videos of the data set, made the same way but not mirrored, jittered or balanced."""
    settings = replace(made.settings, mirror=False, jitters=1)
    dataset = replace(made.dataset, videos=tuple(videos))
    return list(_samples(dataset, made.specs, model, settings, Counter()))


def _check(settings: SetSettings) -> None:
    check_choice("protocol", settings.protocol, PROTOCOLS)
    check_choice("balance", settings.balance, BALANCES)
    if settings.jitters < 1:
        raise UsageError(f"jitters must be at least 1, not {settings.jitters}")


def _need_lengths(videos: Sequence[Video]) -> None:
    unknown = sum(video.duration_s is None for video in videos)
    if unknown:
        raise UsageError(
            f"{unknown} training videos have no duration_s; fill in that column of videos.csv (seconds): clips are cut "
            "without opening the files"
        )


def _specs(settings: SetSettings, model: ModelCard) -> dict[str, TaskSpec]:
    documents = [load_task(name) for name in (settings.tasks or task_names())]
    documents += [load_task(d.data["uses"]) for d in documents if "uses" in d.data]
    specs = {
        str(d.data["name"]): resolve(d.data, protocol=settings.protocol, profile="strict", model=model)
        for d in documents
    }
    return with_sampling(specs, settings.sampling)


def _samples(
    dataset: Dataset, specs: Mapping[str, TaskSpec], model: ModelCard, settings: SetSettings, left_out: Counter[str]
) -> Iterator[Sample]:
    """Each sample once, video by video."""
    asking = [spec for spec in specs.values() if not spec.uses]
    clusters = {patient: n for n, patient in enumerate(sorted({video.patient for video in dataset.videos}))}
    seen: set[str] = set()
    for original in dataset.videos:
        for mirrored in (False, True)[: 1 + settings.mirror]:
            video = mirrored_video(original) if mirrored else original
            for tasks in _jittered(asking, settings):
                plan = Plan(dataset, model, tasks, tasks)
                for sample in _of_video(plan, specs, video, clusters[video.patient], mirrored, left_out):
                    if sample.id not in seen:
                        seen.add(sample.id)
                        yield sample


def _jittered(specs: Sequence[TaskSpec], settings: SetSettings) -> Iterator[tuple[TaskSpec, ...]]:
    """The specs as they are, then those that draw a place with other seeds."""
    yield tuple(specs)
    drawn = [spec for spec in specs if "seed" in spec.sampler[1]]
    for number in range(1, settings.jitters):
        seed = 1000 * (settings.seed + 1) + number
        yield tuple(TaskSpec({**s.data, "sampler": {**s.data["sampler"], "seed": seed}}) for s in drawn)


def _of_video(
    plan: Plan, specs: Mapping[str, TaskSpec], video: Video, cluster: int, mirrored: bool, left_out: Counter[str]
) -> Iterator[Sample]:
    planned = plan_video(plan, video, cluster)
    requests = {request.id: request for step in planned.steps for request in step.requests}
    for reference in planned.references:
        spec = specs[reference.task]
        for request in _to_ask(spec, [requests[number] for number in reference.requests]):
            found = clip_truth(spec.item, request, video, reference.truth, windows=len(reference.requests))
            if isinstance(found, ClipTruth):
                references = tuple(_references(request, reference, found, specs))
                yield Sample(request, found.target, references, mirrored)
            else:
                left_out[f"{spec.title}: {found}"] += 1


def _to_ask(spec: TaskSpec, requests: Sequence[Request]) -> Sequence[Request]:
    """The requests whose answers are used: a question about the beginning is scored in the first window alone."""
    first = requests and spec.for_subject(requests[0].subject).aggregator[0].startswith("first_window")
    return [request for request in requests if request.clip.index == 0] if first else requests


def _references(
    request: Request, reference: Reference, found: ClipTruth, specs: Mapping[str, TaskSpec]
) -> Iterator[Reference]:
    """One for the task that asks, and one for each that uses its answers."""
    window = (request.clip.start_s, request.clip.end_s)
    for spec in specs.values():
        if (spec.uses or spec.name) == request.task and spec.item in found.truths:
            yield replace(
                reference, task=spec.name, truth=found.truths[spec.item], window=window, requests=(request.id,)
            )
