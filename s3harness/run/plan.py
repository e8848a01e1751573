"""The plan: from videos and task specs to clips and requests, video by video, clip by clip.

A plan is walked, never held: at any time only the requests of the videos at hand exist. Within a video the requests
of one clip stand together, so that the engine meets a clip's frames once, and its questions after.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from s3harness.dataset.load import Dataset
from s3harness.dataset.references import truths
from s3harness.errors import SpecError
from s3harness.plugins import blamed, load
from s3harness.specs.models import ModelCard
from s3harness.specs.prompts import prompt_context, render
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Generation, Reference, Request, Video


@dataclass(frozen=True, slots=True)
class Step:
    """One clip and all that is asked of it."""

    clip: Clip
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """All that is asked of one video, and the references of the items that it answers."""

    video: Video
    steps: tuple[Step, ...]
    references: tuple[Reference, ...]

    @property
    def clips(self) -> list[Clip]:
        """The clips in the order of the steps."""
        return [step.clip for step in self.steps]


@dataclass(frozen=True)
class Plan:
    """What a run will ask: ``scored`` tasks, and in ``asked`` also those whose answers the scored ones use."""

    dataset: Dataset
    model: ModelCard
    scored: tuple[TaskSpec, ...]
    asked: tuple[TaskSpec, ...]

    def __iter__(self) -> Iterator[VideoPlan]:
        clusters = {patient: n for n, patient in enumerate(sorted({v.patient for v in self.dataset.videos}))}
        for video in self.dataset.videos:
            yield plan_video(self, video, clusters[video.patient])


def plan_video(plan: Plan, video: Video, cluster: int) -> VideoPlan:
    """The requests of one video in the order of asking, and its references."""
    by_task = {task.name: _requests(task, plan.model, video) for task in plan.asked}
    steps: dict[Clip, dict[str, Request]] = {}
    for requests in by_task.values():
        for request in (r for of_subject in requests.values() for r in of_subject):
            steps.setdefault(replace(request.clip, index=0), {}).setdefault(request.id, request)
    ordered = sorted(steps.items(), key=lambda step: (step[0].start_s, -step[0].end_s))
    references = [
        _reference(task, video, subject, truth, cluster, by_task[task.uses or task.name].get(subject, ()))
        for task in plan.scored
        for subject, truth in truths(video, task.item, plan.model.modalities)
    ]
    askable = tuple(reference for reference in references if reference.requests)
    return VideoPlan(video, tuple(Step(clip, tuple(asked.values())) for clip, asked in ordered), askable)


def item_id(task: str, video: Video, subject: str) -> str:
    """suite/task/video/subject."""
    return f"{task}/{video.id}/{subject}"


def _requests(task: TaskSpec, model: ModelCard, video: Video) -> dict[str, tuple[Request, ...]]:
    """Subject → its requests, one per clip."""
    found = {}
    for subject, _ in truths(video, task.item, model.modalities):
        spec = task.for_subject(subject)
        found[subject] = tuple(_request(spec, model, video, subject, clip) for clip in _clips(spec, video, subject))
    return found


def _clips(spec: TaskSpec, video: Video, subject: str) -> list[Clip]:
    name, params = spec.sampler
    sampler = cast("Any", load("sampler", name))
    try:
        with blamed("sampler", name):
            return cast("list[Clip]", sampler(video, subject, **params))
    except TypeError as error:
        raise SpecError(f"{spec.name}: sampler {name!r}: {error}") from error


def _request(spec: TaskSpec, model: ModelCard, video: Video, subject: str, clip: Clip) -> Request:
    answer = spec.answer
    hears = model.hears()
    context = prompt_context(item=spec.item, subject=subject, hears=hears, clip=clip, report=video.report)
    request = Request(
        id="",
        task=spec.name,
        item=item_id(spec.name, video, subject),
        subject=subject,
        clip=clip,
        prompt=render(spec.prompt, context),
        system=spec.system,
        answer_schema=answer.get("schema"),
        choices=tuple(answer.get("choices", ())),
        generation=spec.generation,
    )
    return replace(request, id=_id(request))


def _id(request: Request) -> str:
    """A short hash of everything that determines the answer of a given model."""
    told = {**_shallow(request), "clip": _shallow(request.clip), "generation": _shallow(request.generation)}
    del told["id"]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]


def _shallow(noun: Clip | Generation | Request) -> dict[str, object]:
    """The fields of a noun; ``asdict`` copies every timestamp of every request, most of what planning takes."""
    return {field.name: getattr(noun, field.name) for field in fields(noun)}


def _reference(
    task: TaskSpec, video: Video, subject: str, truth: object, cluster: int, requests: Sequence[Request]
) -> Reference:
    shown = [request.clip for request in requests]
    window = (min(c.start_s for c in shown), max(c.end_s for c in shown)) if shown else None
    ids = tuple(request.id for request in requests)
    return Reference(item_id(task.name, video, subject), task.name, video.id, subject, cluster, truth, window, ids)
