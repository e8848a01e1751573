"""Held-out patients: the requests about them while a model trains, and the scores of its answers.

Requests and scores are those of an evaluation with the strict metrics; nothing is learnt from these patients.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from s3harness.media import MediaStore
from s3harness.run.plan import Plan, plan_video
from s3harness.rundir.journal_line import JournalEntry
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
"""Bootstrap resamples of patients: few, as these intervals are for watching a training, not for reporting."""


@dataclass(frozen=True)
class HeldOut:
    """Requests about held-out patients, with the references of their answers.

    ``samples`` are all requests, without targets; ``labelled`` are those with the true answer about their clip, as far
    as the annotations tell it.
    """

    specs: Mapping[str, TaskSpec] = field(repr=False)
    samples: Sequence[Sample] = field(repr=False)
    labelled: Sequence[Sample] = field(repr=False)
    references: Sequence[Reference] = field(repr=False)
    clips: ClipFrames = field(repr=False)

    @property
    def known(self) -> Sequence[Sample]:
        """Return ``labelled``, by its old name."""
        # Trainers are third-party code: the old name works for one more release.
        message = "HeldOut.known is now labelled; the old name goes with the next release"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self.labelled

    @classmethod
    def of(cls, training_set: TrainingSet, model: ModelCard, store: MediaStore, *, videos: int) -> HeldOut:
        """Return the requests about ``videos`` held-out videos, taken from all patients in turn."""
        chosen = _in_turn(training_set, videos)
        tasks = tuple(training_set.specs.values())
        plan = Plan(replace(training_set.dataset, videos=chosen), model, tasks, tuple(t for t in tasks if not t.uses))
        clusters = {patient: n for n, patient in enumerate(sorted({video.patient for video in chosen}))}
        planned = [plan_video(plan, video, clusters[video.patient]) for video in chosen]
        requests = {r.id: r for video in planned for step in video.steps for r in step.requests}
        samples = tuple(Sample(request, "", ()) for request in requests.values())
        references = tuple(reference for video in planned for reference in video.references)
        labelled = samples_of(training_set, chosen, model)
        return cls(training_set.specs, samples, labelled, references, ClipFrames(chosen, samples, store))

    def score(self, texts: Mapping[str, str]) -> list[Score]:
        """Return the scores of answers by request id; a request without one is missing, which counts as wrong."""
        answered = [s.request for s in self.samples if s.request.id in texts]
        answers = {request.id: _parse_answer(request, texts[request.id], self.specs) for request in answered}
        scores: list[Score] = []
        for name, spec in self.specs.items():
            references = [reference for reference in self.references if reference.task == name]
            scores += score_task(spec, references, predict(references, answers, spec), resamples=RESAMPLES)
        return scores

    def spread(self, number: int) -> list[Sample]:
        """Return that many of the labelled samples, of all tasks, subjects and patients in turn."""
        rounds: defaultdict[tuple[str, str], int] = defaultdict(int)
        of_patient: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        keyed = []
        for sample in self.labelled:
            question = (sample.request.task, sample.request.subject)
            patient = (*question, sample.references[0].cluster)
            of_patient[patient] += 1
            rounds[question] += 1
            keyed.append((of_patient[patient], rounds[question], sample))
        # Sorting is stable: the choice is the same in every run.
        return [sample for *_, sample in sorted(keyed, key=lambda entry: entry[:2])[:number]]

    def primary(self, texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return task → the primary score of :meth:`score` as JSON-able numbers."""
        return _primary(self.score(texts))


def _primary(scores: Sequence[Score]) -> dict[str, dict[str, Any]]:
    return {
        score.task: {
            "metric": score.metric,
            "value": score.value,
            "interval": [score.interval.low, score.interval.high] if score.interval else None,
            "floor": score.floor,
            "skill": score.skill,
            "coverage": score.coverage,
        }
        for score in scores
        if score.primary
    }


def _in_turn(training_set: TrainingSet, videos: int) -> tuple[Video, ...]:
    """Return one video of each patient, then a second one, and so on."""
    # Intervals are over patients: a patient more tells more than another video of the same one.
    nth: dict[str, int] = {}
    keyed = []
    for video in training_set.division.held_out:
        nth[video.patient] = nth.get(video.patient, 0) + 1
        keyed.append((nth[video.patient], video))
    # Sorting is stable: within a round the data set's order stays, and the choice is the same in every run.
    return tuple(video for _, video in islice(sorted(keyed, key=lambda pair: pair[0]), videos))


def _parse_answer(request: Request, text: str, specs: Mapping[str, TaskSpec]) -> Answer:
    # As an entry of a run's journal, so that answers are parsed by the code that parses those of an evaluation.
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
