"""Strict profile of the released predictions: scored as a run is, on a fixed list of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from s3harness.dataset.tables import problem_lines
from s3harness.paper.annotations import Annotations
from s3harness.paper.answers import ReleasedAnswers, ReleasedModel, UnmatchedRows, release_items, training_items
from s3harness.paper.layout import Part, Release
from s3harness.paper.problems import unused_files
from s3harness.scoring.above_floor import corrected
from s3harness.scoring.predictions import predict
from s3harness.scoring.score_run import ScoredTask
from s3harness.scoring.score_task import RESAMPLES, SEED, score_task
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Answer, Modality, Reference, Score

NOT_SCORED = frozenset({"interval_iou"})
"""Metrics that cannot be computed: start and end of a seizure are asked for in two clips of unknown places."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StrictResult:
    """Scores of one model, with their items and predictions, the missing files, and the rows that match no item."""

    model: str
    modalities: tuple[Modality, ...]
    scores: tuple[Score, ...]
    tasks: Mapping[str, ScoredTask]
    missing: tuple[str, ...]
    unmatched: tuple[UnmatchedRows, ...]
    problems: tuple[str, ...]


def score_strict(
    release: Release, annotations: Annotations, model: str, tasks: Sequence[str], *, resamples: int = RESAMPLES
) -> StrictResult:
    """Score a model's released predictions of the tasks, by full name, as a run's answers are scored."""
    released = ReleasedModel(release, annotations, model)
    # Read once for all tasks: it opens three tables.
    modalities = released.modalities()
    card = ModelCard(model, modalities=modalities)
    specs = {name: _spec(name, card) for name in tasks}
    read = {name: _task(released, spec, card) for name, spec in specs.items()}
    # A task without items for these modalities was not asked: its missing files are no defect.
    scored = {name: task for name, (task, _) in read.items() if task.references}
    answers = [released_answers for name, (_, released_answers) in read.items() if name in scored]
    scores = corrected(
        score for task in scored.values() for score in _scores(annotations, release.part, task, modalities, resamples)
    )
    return StrictResult(
        model=model,
        modalities=modalities,
        scores=tuple(scores),
        tasks=scored,
        # Tasks share files, so each note is given once.
        missing=tuple(dict.fromkeys(lack for one in answers for lack in one.missing)),
        unmatched=tuple(dict.fromkeys(rows for one in answers for rows in one.unmatched)),
        problems=(
            *problem_lines(dict.fromkeys(problem for one in answers for problem in one.problems)),
            *unused_files(release, model),
        ),
    )


def corrected_together(results: Sequence[StrictResult]) -> list[StrictResult]:
    """Return the models with their floor tests corrected over all models and tasks, as they are printed together."""
    # One flat list through the correction, cut back into the models' scores.
    scores = iter(corrected(score for result in results for score in result.scores))
    return [replace(result, scores=tuple(islice(scores, len(result.scores)))) for result in results]


def _scores(
    annotations: Annotations, part: Part, task: ScoredTask, modalities: Sequence[Modality], resamples: int
) -> list[Score]:
    """Score a task; its floors are fitted on the folds that are not scored, where there are any."""
    training = training_items(annotations, part, task.spec.name, task.spec.item, modalities)
    return score_task(task.spec, task.references, task.predictions, resamples=resamples, seed=SEED, training=training)


def released_task(released: ReleasedModel, name: str) -> tuple[ScoredTask, ReleasedAnswers]:
    """Return a task of a released model, by its full name: items with predictions, and the answers behind them."""
    card = ModelCard(released.name, modalities=released.modalities())
    return _task(released, _spec(name, card), card)


def _task(released: ReleasedModel, spec: TaskSpec, card: ModelCard) -> tuple[ScoredTask, ReleasedAnswers]:
    """Return the items of a task with their predictions, and the answers behind them."""
    items = release_items(released.annotations, released.release.part, spec.name, spec.item, card.modalities)
    by_item = released.answers(spec.item, _parser_spec(spec, card), items)
    answers: dict[str, Answer] = {}
    references: list[Reference] = []
    for key, reference in items.items():
        windows = by_item.answers.get(key, {})
        answers |= {f"{reference.item}/{number}": answer for number, answer in windows.items()}
        # A gap among the windows is a request without an answer; the number of requests after the last is unknown.
        numbers = range(max(windows, default=-1) + 1)
        references.append(replace(reference, requests=tuple(f"{reference.item}/{number}" for number in numbers)))
    return ScoredTask(spec, references, predict(references, answers, spec)), by_item


def _parser_spec(spec: TaskSpec, card: ModelCard) -> TaskSpec:
    """Return the task whose prompt was used, and whose parser reads the answer."""
    # A task that uses the answers of another one has no prompt and no parser.
    return _spec(spec.uses, card) if spec.uses else spec


def _spec(name: str, card: ModelCard) -> TaskSpec:
    """Return a task as the strict profile scores it, without the metrics that cannot be computed on the release."""
    spec = resolve(load_task(name).data, protocol="strict", profile="strict", model=card)
    if "metrics" not in spec.data:
        return spec
    metrics = [metric for metric in spec.data["metrics"] if _metric_name(metric) not in NOT_SCORED]
    return TaskSpec({**spec.data, "metrics": metrics})


def _metric_name(metric: object) -> str:
    # A task file gives a metric as a mapping, or as its bare name.
    return str(metric.get("name")) if isinstance(metric, Mapping) else str(metric)
