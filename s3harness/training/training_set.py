"""Training sets: every request of an evaluation of the training patients, with the answer to learn.

The requests come from the evaluation's own plan, so that a model is trained with the prompts, samplers and protocol
that it is scored with. A sample is one clip with one prompt; no sample shows a held-out patient. A training set is
determined by the data set, the settings and the seed.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from s3harness.dataset.load import Dataset, load_dataset
from s3harness.errors import UsageError
from s3harness.run.plan import Plan, plan_video
from s3harness.specs.loading import full_name, load_task, task_names
from s3harness.specs.models import ModelCard, load_model
from s3harness.specs.sampling import with_sampling
from s3harness.specs.tasks import PROTOCOLS, TaskSpec, check_choice, resolve
from s3harness.training.balance import BALANCES, balance_samples, mix_tasks
from s3harness.training.items import ClipTruth, clip_truth
from s3harness.training.sample import Sample
from s3harness.training.split import Division, divide
from s3harness.transforms.mirror import mirrored_video
from s3harness.types import Reference, Request, Video

EVEN = "even"
"""Name in a mix for equal shares of all tasks, from which others may differ."""
VIDEO_ONLY = ModelCard("training", modalities=("video",))
"""The model card of a training set for which none is named: video without audio."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetSettings:
    """Settings of a training set.

    No ``tasks`` mean all; ``model`` is a card by name. Training patients are those of the data set's ``split``, or
    all but a share ``held_out`` (0–1) of the patients. ``jitters`` is the number of positions at which a clip with a
    random position is cut, ``mirror`` adds every sample's mirror image, ``balance`` is one of
    :data:`~s3harness.training.balance.BALANCES`, ``leave_out_constant`` drops questions that have only one answer,
    which otherwise are an error. ``mix`` are relative shares of the tasks by name or number, :data:`EVEN` is 1 of each;
    empty: as many samples of a task as there are. ``sampling`` is that of an evaluation
    (:func:`~s3harness.specs.sampling.with_sampling`).
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
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """The samples, with their data set and the model's ``card``.

    ``specs`` are the tasks by name, ``left_out`` is reason → number of samples.
    """

    settings: SetSettings
    card: ModelCard
    # Without a repr, as it would put annotations of patients into error messages and logs.
    dataset: Dataset = field(repr=False)
    division: Division = field(repr=False)
    specs: Mapping[str, TaskSpec] = field(repr=False)
    samples: Sequence[Sample] = field(repr=False)
    left_out: Mapping[str, int]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the samples in their order; ids stand for requests and answers."""
        digest = hashlib.sha256()
        for sample in self.samples:
            digest.update(f"{sample.id} {sample.references!r}\n".encode())
        return digest.hexdigest()

    def of_task(self, task: str) -> list[Sample]:
        """Return the samples that a task scores."""
        return [sample for sample in self.samples if sample.truth.reference(task)]

    def video_of(self, sample: Sample) -> Video:
        """Return the annotated video that a sample shows, mirrored if the sample is."""
        videos = {video.id: video for video in self.division.training}
        video = videos[sample.request.clip.video_id]
        return mirrored_video(video) if sample.mirrored else video


def build_training_set(data: Path, settings: SetSettings, card: ModelCard | None = None) -> TrainingSet:
    """Build the training set of a data set directory; no video file is opened.

    ``card`` is the model's, where the settings name none: by default :data:`VIDEO_ONLY`.

    Raises :class:`UsageError` for too few patients, a video without a length, or a question with only one answer.
    """
    _check(settings)
    model = load_model(settings.model) if settings.model else card or VIDEO_ONLY
    dataset = load_dataset(data)
    division = divide(dataset.videos, split=settings.split, held_out=settings.held_out, seed=settings.seed)
    _need_lengths(division.training)
    specs = _specs(settings, model)
    left_out: Counter[str] = Counter()
    unbalanced = list(_samples(replace(dataset, videos=division.training), specs, model, settings, left_out))
    if not unbalanced:
        raise UsageError("no task has a sample in the training patients' annotations; name other --tasks, or a split")
    kinds = {spec.name: spec.item for spec in specs.values()}
    samples = balance_samples(unbalanced, kinds, settings.balance, settings.seed, settings.leave_out_constant, left_out)
    if settings.mix:
        samples = mix_tasks(samples, _shares(settings.mix, specs), settings.seed)
    return TrainingSet(
        # A derived card has a name by the content of the weights: no path of this machine.
        settings=replace(settings, model=model.name) if card else settings,
        card=model,
        dataset=dataset,
        division=division,
        specs=specs,
        samples=samples,
        left_out=dict(left_out),
    )


def samples_of(training_set: TrainingSet, videos: Sequence[Video], model: ModelCard) -> list[Sample]:
    """Return the samples of other videos of the data set, built alike but not mirrored, jittered or balanced."""
    settings = replace(training_set.settings, mirror=False, jitters=1)
    dataset = replace(training_set.dataset, videos=tuple(videos))
    return list(_samples(dataset, training_set.specs, model, settings, Counter()))


def _check(settings: SetSettings) -> None:
    check_choice("protocol", settings.protocol, PROTOCOLS)
    check_choice("balance", settings.balance, BALANCES)
    if settings.jitters < 1:
        raise UsageError(f"jitters must be at least 1, not {settings.jitters}")


def _shares(mix: Mapping[str, float], specs: Mapping[str, TaskSpec]) -> dict[str, float]:
    """Return full name → share of the tasks that ask something; :class:`UsageError` for a wrong mix."""
    asking = [spec.name for spec in specs.values() if not spec.uses]
    if EVEN in mix:
        shares = dict.fromkeys(asking, 1.0)
        mix = {name: share for name, share in mix.items() if name != EVEN}
    else:
        shares = dict.fromkeys(asking, 0.0)
    for name, share in mix.items():
        if full_name(name) not in shares:
            raise UsageError(f"the mix names {name!r}, which is no task that asks something here")
        if not (math.isfinite(share) and share >= 0):
            raise UsageError(f"the share of {name} in the mix must be 0 or more, not {share:g}")
        shares[full_name(name)] = share
    if not any(shares.values()):
        raise UsageError("the mix leaves out every task; give one a share above 0")
    return shares


def _need_lengths(videos: Sequence[Video]) -> None:
    # Video files may be absent: a training set is built from the tables alone.
    unknown = sum(video.duration_s is None for video in videos)
    if unknown:
        subject = "1 training video has" if unknown == 1 else f"{unknown} training videos have"
        raise UsageError(
            f"{subject} no duration_s; fill in that column of videos.csv (seconds): clips are cut without opening the "
            "files"
        )


def _specs(settings: SetSettings, model: ModelCard) -> dict[str, TaskSpec]:
    documents = [load_task(name) for name in (settings.tasks or task_names())]
    # A task that uses another's answers has no requests of its own, so the other is needed even if it is not named.
    documents += [load_task(d.data["uses"]) for d in documents if "uses" in d.data]
    specs = {
        str(d.data["name"]): resolve(d.data, protocol=settings.protocol, profile="strict", model=model)
        for d in documents
    }
    return with_sampling(specs, settings.sampling)


def _samples(
    dataset: Dataset, specs: Mapping[str, TaskSpec], model: ModelCard, settings: SetSettings, left_out: Counter[str]
) -> Iterator[Sample]:
    """Yield each sample once, video by video."""
    requesting = [spec for spec in specs.values() if not spec.uses]
    clusters = {patient: n for n, patient in enumerate(sorted({video.patient for video in dataset.videos}))}
    # Jitters may cut the same clip twice, and a sample that is there twice would weigh double.
    yielded: set[str] = set()
    for original in dataset.videos:
        for mirrored in (False, True)[: 1 + settings.mirror]:
            video = mirrored_video(original) if mirrored else original
            for tasks in _jittered(requesting, settings):
                plan = Plan(dataset, model, tasks, tasks)
                for sample in _samples_of_video(plan, specs, video, clusters[video.patient], mirrored, left_out):
                    if sample.id not in yielded:
                        yielded.add(sample.id)
                        yield sample


def _jittered(specs: Sequence[TaskSpec], settings: SetSettings) -> Iterator[tuple[TaskSpec, ...]]:
    """Yield the specs as they are, then those that draw a clip's position, with other seeds."""
    # The first jitter is the evaluation's own position, so that the clips of an evaluation are among the samples.
    yield tuple(specs)
    drawn = [spec for spec in specs if "seed" in spec.sampler[1]]  # the others would only be repeated
    for number in range(1, settings.jitters):
        # The command line allows 100 jitters at most, so training sets of different seeds share no jitter's seed.
        seed = 1000 * (settings.seed + 1) + number
        yield tuple(TaskSpec({**s.data, "sampler": {**s.data["sampler"], "seed": seed}}) for s in drawn)


def _samples_of_video(
    plan: Plan, specs: Mapping[str, TaskSpec], video: Video, cluster: int, mirrored: bool, left_out: Counter[str]
) -> Iterator[Sample]:
    planned = plan_video(plan, video, cluster)
    requests = {request.id: request for step in planned.steps for request in step.requests}
    for reference in planned.references:
        spec = specs[reference.task]
        for request in _scored_requests(spec, [requests[number] for number in reference.requests]):
            truth = clip_truth(spec.item, request, video, reference.truth, windows=len(reference.requests))
            if isinstance(truth, ClipTruth):
                references = tuple(_references(request, reference, truth, specs))
                yield Sample(request, truth.target, references, mirrored)
            else:
                left_out[f"{spec.title}: {truth}"] += 1


def _scored_requests(spec: TaskSpec, requests: Sequence[Request]) -> Sequence[Request]:
    """Return the requests whose answers count in the item's score."""
    # A question about the beginning of the seizure is scored by the answer to the first window alone, so an answer
    # about a later one has no truth.
    first = requests and spec.for_subject(requests[0].subject).aggregator[0].startswith("first_window")
    return [request for request in requests if request.clip.index == 0] if first else requests


def _references(
    request: Request, reference: Reference, truth: ClipTruth, specs: Mapping[str, TaskSpec]
) -> Iterator[Reference]:
    """Yield one reference for the task of the request, and one for each task that uses its answers."""
    # The window is the clip, as a single answer is scored: the item's own spans all clips of the video.
    window = (request.clip.start_s, request.clip.end_s)
    for spec in specs.values():
        if (spec.uses or spec.name) == request.task and spec.item in truth.truths:
            yield replace(
                reference, task=spec.name, truth=truth.truths[spec.item], window=window, requests=(request.id,)
            )
