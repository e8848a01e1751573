"""The patients held out: what they are asked while a model trains, and how it is scored.

They are asked as an evaluation asks them, scored by the strict metrics, and learnt nothing from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from s3harness.media import MediaStore
from s3harness.run.plan import Plan, plan_video
from s3harness.rundir.journal import JournalEntry
from s3harness.scoring.answers import read_answer
from s3harness.scoring.predictions import predict
from s3harness.scoring.score_task import score_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec
from s3harness.training.clips import ClipFrames
from s3harness.training.sample import Sample
from s3harness.training.training_set import TrainingSet, samples_of
from s3harness.types import Answer, Reference, Request, Response, Score, Video

RESAMPLES = 200
"""Of patients, for the intervals: enough to see by, and quick."""


@dataclass(frozen=True)
class HeldOut:
    """Requests about held-out patients, with what scores their answers.

    ``samples`` are all that is asked, without targets; ``known`` those of one clip whose answer the annotations tell.
    """

    specs: Mapping[str, TaskSpec] = field(repr=False)
    samples: Sequence[Sample] = field(repr=False)
    known: Sequence[Sample] = field(repr=False)
    references: Sequence[Reference] = field(repr=False)
    clips: ClipFrames = field(repr=False)

    @classmethod
    def of(cls, made: TrainingSet, model: ModelCard, store: MediaStore, *, videos: int) -> HeldOut:
        """What is asked of the first ``videos`` videos that are held out, taken from all patients in turn."""
        chosen = _in_turn(made, videos)
        tasks = tuple(made.specs.values())
        plan = Plan(replace(made.dataset, videos=chosen), model, tasks, tuple(t for t in tasks if not t.uses))
        clusters = {patient: n for n, patient in enumerate(sorted({video.patient for video in chosen}))}
        planned = [plan_video(plan, video, clusters[video.patient]) for video in chosen]
        requests = {r.id: r for video in planned for step in video.steps for r in step.requests}
        samples = tuple(Sample(request, "", ()) for request in requests.values())
        references = tuple(reference for video in planned for reference in video.references)
        known = samples_of(made, chosen, model)
        return cls(made.specs, samples, known, references, ClipFrames(chosen, samples, store))

    def score(self, texts: Mapping[str, str]) -> list[Score]:
        """The scores of answers by request id; a request without one is missing, which counts as wrong."""
        asked = [s.request for s in self.samples if s.request.id in texts]
        answers = {request.id: _read(request, texts[request.id], self.specs) for request in asked}
        found: list[Score] = []
        for name, spec in self.specs.items():
            references = [reference for reference in self.references if reference.task == name]
            found += score_task(spec, references, predict(references, answers, spec), resamples=RESAMPLES)
        return found

    def primary(self, texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Task → the primary score of :meth:`score` in numbers; JSON-able."""
        return _primary(self.score(texts))


def _primary(scores: Sequence[Score]) -> dict[str, dict[str, Any]]:
    return {
        score.task: {
            "metric": score.metric,
            "value": score.value,
            "interval": [score.interval.low, score.interval.high] if score.interval else None,
            "floor": score.floor,
            "coverage": score.coverage,
        }
        for score in scores
        if score.primary
    }


def _in_turn(made: TrainingSet, videos: int) -> tuple[Video, ...]:
    """One video of each patient, then a second one, and so on."""
    nth: dict[str, int] = {}
    keyed = []
    for video in made.division.held_out:
        nth[video.patient] = nth.get(video.patient, 0) + 1
        keyed.append((nth[video.patient], video))
    return tuple(video for _, video in islice(sorted(keyed, key=lambda pair: pair[0]), videos))


def _read(request: Request, text: str, specs: Mapping[str, TaskSpec]) -> Answer:
    response = Response(request.id, text)
    entry = JournalEntry(
        id=request.id,
        task=request.task,
        item=request.item,
        subject=request.subject,
        clip=request.clip,
        media="",
        response=response,
    )
    return read_answer(entry, specs[request.task].for_subject(request.subject))
