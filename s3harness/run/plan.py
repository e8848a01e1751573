"""The plan: from videos and task specs to clips and requests, video by video, clip by clip.

A plan is walked, never held: at any time only the requests of the videos at hand exist. Within a video the requests
about one clip stand together, so that the engine reads a clip's frames once, and its questions after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from s3harness.dataset.load import Dataset
from s3harness.dataset.references import truths
from s3harness.run.requests import ClipGroup, RequestTemplate
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Reference, Request, Response, Video


@dataclass(frozen=True, slots=True)
class ClipRequests:
    """One clip and all requests about it."""

    clip: Clip
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """The requests about one video, clip by clip, and the references of the items that they answer.

    ``turns`` are those of conversations that an earlier session of the run did not finish: the id of a planned request
    → the id of a turn → its response, and the key of the media of its clip.
    """

    video: Video
    steps: tuple[ClipRequests, ...]
    references: tuple[Reference, ...]
    turns: Mapping[str, Mapping[str, tuple[Response, str]]] = field(default_factory=dict)

    @property
    def clips(self) -> list[Clip]:
        """Clips in the order of the steps."""
        return [step.clip for step in self.steps]


@dataclass(frozen=True)
class Plan:
    """The plan of a run: a plan for each video of the data set.

    The tasks in ``scored`` are scored; requests are sent for those in ``requested``, which are the tasks whose answers
    the scored ones use.
    """

    dataset: Dataset
    model: ModelCard
    scored: tuple[TaskSpec, ...]
    requested: tuple[TaskSpec, ...]
    _templates: dict[tuple[str, str], RequestTemplate] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __iter__(self) -> Iterator[VideoPlan]:
        # Patients as numbers: references go into files that name no patient.
        clusters = {patient: n for n, patient in enumerate(sorted({v.patient for v in self.dataset.videos}))}
        for video in self.dataset.videos:
            yield plan_video(self, video, clusters[video.patient])

    def template(self, task: TaskSpec, subject: str) -> RequestTemplate:
        """Return the request template of a task and subject; it is made once, as it is the same for every video."""
        key = (task.name, subject)
        if key not in self._templates:
            self._templates[key] = RequestTemplate.of(task, self.model, subject)
        return self._templates[key]


def plan_video(plan: Plan, video: Video, cluster: int) -> VideoPlan:
    """Plan the requests of one video, in the order in which they are sent, and its references."""
    clips = _ClipGroups()
    by_task = {task.name: _requests(plan, task, video, clips) for task in plan.requested}
    references = [
        _reference(task, video, subject, truth, cluster, by_task[task.uses or task.name].get(subject, ()))
        for task in plan.scored
        for subject, truth in truths(video, task.item, plan.model.asked_modalities())
    ]
    # An item without a request, as of a video without a clip for it, cannot be answered, and is not counted.
    return VideoPlan(video, clips.steps(), tuple(reference for reference in references if reference.requests))


def item_id(task: str, video: Video, subject: str) -> str:
    """Id of an item: suite/task/video/subject."""
    return f"{task}/{video.id}/{subject}"


class _ClipGroups:
    """The clips of a video, in groups that show the same, whatever their index among others."""

    def __init__(self) -> None:
        self._groups: dict[Clip, ClipGroup] = {}
        self._requests: dict[Clip, dict[str, Request]] = {}

    def group(self, clip: Clip) -> ClipGroup:
        """Return the group of a clip, which may be a new one."""
        if (group := self._groups.get(clip)) is not None:
            return group
        requests = self._requests.setdefault(replace(clip, index=0), {})
        return self._groups.setdefault(clip, ClipGroup.of(clip, requests))

    def steps(self) -> tuple[ClipRequests, ...]:
        """Return the requests about each clip, in the order in which they are sent."""
        # From the start of the video to its end, and of clips that begin together the longest first.
        ordered = sorted(self._requests.items(), key=lambda step: (step[0].start_s, -step[0].end_s))
        return tuple(ClipRequests(clip, tuple(requests.values())) for clip, requests in ordered)


def _requests(plan: Plan, task: TaskSpec, video: Video, clips: _ClipGroups) -> dict[str, list[Request]]:
    """Return the requests of each subject, one per clip."""
    requests = {}
    for subject, _ in truths(video, task.item, plan.model.asked_modalities()):
        template, item = plan.template(task, subject), item_id(task.name, video, subject)
        requests[subject] = [template.about(video, item, clip, clips.group(clip)) for clip in template.clips(video)]
    return requests


def _reference(
    task: TaskSpec, video: Video, subject: str, truth: object, cluster: int, requests: Sequence[Request]
) -> Reference:
    clips = [request.clip for request in requests]
    window = (min(c.start_s for c in clips), max(c.end_s for c in clips)) if clips else None
    ids = tuple(request.id for request in requests)
    item, report = item_id(task.name, video, subject), _report_in_prompt(video, requests)
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


def _report_in_prompt(video: Video, requests: Sequence[Request]) -> str:
    """Return the expert's report where a prompt holds it, else nothing: answers from it alone are then a floor."""
    return video.report if video.report and any(video.report in request.prompt for request in requests) else ""
