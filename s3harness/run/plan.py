"""The plan: from videos and task specs to clips and requests, video by video, clip by clip.

A plan is walked, never held: at any time only the requests of the videos at hand exist. Within a video the requests
of one clip stand together, so that the engine meets a clip's frames once, and its questions after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from s3harness.dataset.load import Dataset
from s3harness.dataset.references import truths
from s3harness.run.requests import ClipGroup, RequestTemplate
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Reference, Request, Video


@dataclass(frozen=True, slots=True)
class ClipRequests:
    """One clip and all that is asked of it."""

    clip: Clip
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """All that is asked of one video, and the references of the items that it answers."""

    video: Video
    steps: tuple[ClipRequests, ...]
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
    requested: tuple[TaskSpec, ...]
    _questions: dict[tuple[str, str], RequestTemplate] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __iter__(self) -> Iterator[VideoPlan]:
        clusters = {patient: n for n, patient in enumerate(sorted({v.patient for v in self.dataset.videos}))}
        for video in self.dataset.videos:
            yield plan_video(self, video, clusters[video.patient])

    def question(self, task: TaskSpec, subject: str) -> RequestTemplate:
        """What a task asks about a subject, worked out when it is first wanted."""
        key = (task.name, subject)
        if key not in self._questions:
            self._questions[key] = RequestTemplate.of(task, self.model, subject)
        return self._questions[key]


def plan_video(plan: Plan, video: Video, cluster: int) -> VideoPlan:
    """The requests of one video in the order of asking, and its references."""
    clips = _Clips()
    by_task = {task.name: _requests(plan, task, video, clips) for task in plan.requested}
    references = [
        _reference(task, video, subject, truth, cluster, by_task[task.uses or task.name].get(subject, ()))
        for task in plan.scored
        for subject, truth in truths(video, task.item, plan.model.modalities)
    ]
    return VideoPlan(video, clips.steps(), tuple(reference for reference in references if reference.requests))


def item_id(task: str, video: Video, subject: str) -> str:
    """suite/task/video/subject."""
    return f"{task}/{video.id}/{subject}"


class _Clips:
    """The clips of a video as they are met. Those that show the same are one, whatever their place among others."""

    def __init__(self) -> None:
        self._shown: dict[Clip, ClipGroup] = {}
        self._asked: dict[Clip, dict[str, Request]] = {}

    def met(self, clip: Clip) -> ClipGroup:
        """A clip, which may be a new one."""
        if (known := self._shown.get(clip)) is not None:
            return known
        asked = self._asked.setdefault(replace(clip, index=0), {})
        return self._shown.setdefault(clip, ClipGroup.of(clip, asked))

    def steps(self) -> tuple[ClipRequests, ...]:
        """What is asked of each clip, in the order of asking."""
        ordered = sorted(self._asked.items(), key=lambda step: (step[0].start_s, -step[0].end_s))
        return tuple(ClipRequests(clip, tuple(asked.values())) for clip, asked in ordered)


def _requests(plan: Plan, task: TaskSpec, video: Video, clips: _Clips) -> dict[str, list[Request]]:
    """Subject → its requests, one per clip."""
    found = {}
    for subject, _ in truths(video, task.item, plan.model.modalities):
        question, item = plan.question(task, subject), item_id(task.name, video, subject)
        found[subject] = [question.about(video, item, clip, clips.met(clip)) for clip in question.clips(video)]
    return found


def _reference(
    task: TaskSpec, video: Video, subject: str, truth: object, cluster: int, requests: Sequence[Request]
) -> Reference:
    shown = [request.clip for request in requests]
    window = (min(c.start_s for c in shown), max(c.end_s for c in shown)) if shown else None
    ids = tuple(request.id for request in requests)
    item, report = item_id(task.name, video, subject), _report_shown(video, requests)
    return Reference(
        item=item,
        task=task.name,
        video_id=video.id,
        subject=subject,
        cluster=cluster,
        truth=truth,
        window=window,
        requests=ids,
        report=report,
    )


def _report_shown(video: Video, requests: Sequence[Request]) -> str:
    """The expert's report where the prompt has it: what could be answered from it alone is then a floor."""
    return video.report if video.report and any(video.report in request.prompt for request in requests) else ""
