"""The items of a submission one by one: what was asked, what came back, and how well that answered it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s3harness.analysis.items import ItemScore, item_scores
from s3harness.leaderboard.folder import ITEMS, MANIFEST, PREDICTIONS, RESPONSES, SCORES, Folder
from s3harness.report.page.evidence import prompts
from s3harness.scoring.items import reference_of
from s3harness.scoring.run import ScoredTask, model_of, run_tasks
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Prediction, Reference


@dataclass(frozen=True, slots=True)
class Sample:
    """One item: its task, its truth, what was made of the raw answers, and what that scores."""

    spec: TaskSpec
    reference: Reference
    prediction: Prediction
    prompt: str
    responses: Sequence[Mapping[str, Any]]
    score: ItemScore


def read_samples(folder: Folder) -> Iterator[Sample]:
    """The samples of a submission that holds its truth, in its order; an item that no metric counts is left out."""
    tasks = _tasks(folder)
    asked = prompts(tasks, hears=model_of(folder.documents[MANIFEST]).hears())
    responses = {line["id"]: line for line in folder.tables[RESPONSES]}
    for task in tasks.values():
        for reference, prediction, score in zip(task.references, task.predictions, item_scores(task), strict=True):
            if score is not None:
                prompt = _prompt(asked, task.spec, reference.subject)
                raw = [responses[request] for request in reference.requests if request in responses]
                yield Sample(task.spec, reference, prediction, prompt, raw, score)


def _tasks(folder: Folder) -> dict[str, ScoredTask]:
    """The tasks as the submission's own items and predictions have them."""
    told = folder.documents[SCORES]
    specs = run_tasks(folder.documents[MANIFEST], told["profile"], told["rqi"])
    lines = [line for name, table in folder.tables.items() if name.startswith(f"{PREDICTIONS}/") for line in table]
    kept = ("item", "value", "status", "note", "probability")
    predicted = {line["item"]: Prediction(**{key: line[key] for key in kept}) for line in lines}
    found = {}
    for name, spec in specs.items():
        references = [reference_of(line) for line in folder.tables[ITEMS] if line["task"] == name]
        predictions = [predicted.get(r.item, Prediction(r.item, None, "missing")) for r in references]
        if references:
            found[name] = ScoredTask(spec, references, predictions)
    return found


def _prompt(asked: Mapping[str, str], spec: TaskSpec, subject: str) -> str:
    """What was asked about a subject, of this task or of the one whose answers it reads."""
    return asked.get(f"{spec.name} {subject}") or asked.get(f"{spec.uses} {subject}", "")
