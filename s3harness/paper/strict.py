"""The strict profile of the released predictions: scored as a run is, on a fixed list of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from s3harness.dataset.tables import problem_lines
from s3harness.paper.annotations import Annotations
from s3harness.paper.answers import ReleasedModel, Source, Stray, release_items, training_items
from s3harness.paper.layout import Part, Release
from s3harness.paper.problems import not_read
from s3harness.scoring.above_floor import corrected
from s3harness.scoring.predictions import predict
from s3harness.scoring.score_run import ScoredTask
from s3harness.scoring.score_task import RESAMPLES, SEED, score_task
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Answer, Modality, Reference, Score

NOT_SCORED = frozenset({"interval_iou"})
"""Metrics that the release cannot have: start and end of a seizure are asked for in two clips of unknown places."""


@dataclass(frozen=True, slots=True)
class StrictResult:
    """One model: its scores, the items and predictions behind them, and what its files lack or have too much."""

    model: str
    modalities: tuple[Modality, ...]
    scores: tuple[Score, ...]
    tasks: Mapping[str, ScoredTask]
    missing: tuple[str, ...]
    strays: tuple[Stray, ...]
    problems: tuple[str, ...]


def score_strict(
    release: Release, annotations: Annotations, model: str, tasks: Sequence[str], *, resamples: int = RESAMPLES
) -> StrictResult:
    """Score a model's released predictions of the tasks, by full name, as a run's answers are scored."""
    released = ReleasedModel(release, annotations, model)
    modalities = released.modalities()
    card = ModelCard(model, modalities=modalities)
    specs = {name: _spec(name, card) for name in tasks}
    read = {name: _task(released, spec, card) for name, spec in specs.items()}
    made = {name: task for name, (task, _) in read.items() if task.references}
    sources = [source for name, (_, source) in read.items() if name in made]
    scores = corrected(
        score for task in made.values() for score in _scores(annotations, release.part, task, modalities, resamples)
    )
    return StrictResult(
        model,
        modalities,
        tuple(scores),
        made,
        tuple(dict.fromkeys(lack for source in sources for lack in source.missing)),
        tuple(dict.fromkeys(stray for source in sources for stray in source.strays)),
        (
            *problem_lines(dict.fromkeys(problem for source in sources for problem in source.problems)),
            *not_read(release, model),
        ),
    )


def corrected_together(results: Sequence[StrictResult]) -> list[StrictResult]:
    """Return the models with their floor tests corrected over the tasks of all of them, as they are shown together."""
    scores = iter(corrected(score for result in results for score in result.scores))
    return [replace(result, scores=tuple(islice(scores, len(result.scores)))) for result in results]


def _scores(
    annotations: Annotations, part: Part, task: ScoredTask, modalities: Sequence[Modality], resamples: int
) -> list[Score]:
    """The scores of a task; its floors are fitted on the folds that are not scored, where there are any."""
    training = training_items(annotations, part, task.spec.name, task.spec.item, modalities)
    return score_task(task.spec, task.references, task.predictions, resamples=resamples, seed=SEED, training=training)


def released_task(released: ReleasedModel, name: str) -> tuple[ScoredTask, Source]:
    """One task, by its full name, of a released model: items and predictions, and where these come from."""
    card = ModelCard(released.name, modalities=released.modalities())
    return _task(released, _spec(name, card), card)


def _task(released: ReleasedModel, spec: TaskSpec, card: ModelCard) -> tuple[ScoredTask, Source]:
    """The items of a task with their predictions, and where these come from."""
    items = release_items(released.annotations, released.release.part, spec.name, spec.item, card.modalities)
    source = released.source(spec.item, _asking(spec, card), items)
    # A gap among the windows is a question without an answer; how many were asked after the last one nobody knows.
    answers: dict[str, Answer] = {}
    references: list[Reference] = []
    for key, reference in items.items():
        windows = source.answers.get(key, {})
        answers |= {f"{reference.item}/{number}": answer for number, answer in windows.items()}
        asked = range(max(windows, default=-1) + 1)
        references.append(replace(reference, requests=tuple(f"{reference.item}/{number}" for number in asked)))
    return ScoredTask(spec, references, predict(references, answers, spec)), source


def _asking(spec: TaskSpec, card: ModelCard) -> TaskSpec:
    """The task whose prompt was asked, and whose parser reads the answer."""
    return _spec(spec.uses, card) if spec.uses else spec


def _spec(name: str, card: ModelCard) -> TaskSpec:
    """A task as the strict profile scores it, without the metrics that the release cannot have."""
    spec = resolve(load_task(name).data, protocol="strict", profile="strict", model=card)
    if "metrics" not in spec.data:
        return spec
    kept = [metric for metric in spec.data["metrics"] if _name(metric) not in NOT_SCORED]
    return TaskSpec({**spec.data, "metrics": kept})


def _name(metric: object) -> str:
    return str(metric.get("name")) if isinstance(metric, Mapping) else str(metric)
