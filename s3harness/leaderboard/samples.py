"""The items of a submission one by one: what was asked, what came back, and how well that answered it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s3harness.analysis.items import ItemScore, item_scores
from s3harness.leaderboard.folder import ITEMS, MANIFEST, PREDICTIONS, RESPONSES, SCORES, Folder
from s3harness.run.requests import REPORT_WITHHELD
from s3harness.rundir.items import reference_of
from s3harness.scoring.score_run import ScoredTask, model_of, run_tasks
from s3harness.specs.prompts import prompt_about
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Prediction, Reference


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
    tasks, hears = _tasks(folder), model_of(folder.documents[MANIFEST]).hears()
    responses = {line["id"]: line for line in folder.tables[RESPONSES]}
    for task in tasks.values():
        for reference, prediction, score in zip(task.references, task.predictions, item_scores(task), strict=True):
            if score is not None:
                raw = [responses[request] for request in reference.requests if request in responses]
                asked = tasks[task.spec.uses].spec if task.spec.uses in tasks else task.spec
                prompt = "" if asked.uses or not raw else _prompt(asked, reference.subject, raw[0]["clip"], hears)
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


def _prompt(task: TaskSpec, subject: str, window: Mapping[str, Any], hears: bool) -> str:
    """What was asked about a subject in a window. A written report that was given with the video is withheld.

    A submission holds templates and windows alone. The prompt comes of them letter by letter, as far as a template does
    not speak of the number of frames, which is taken from the rate of the sampler.
    """
    spec = task.for_subject(subject)
    fps, length_s = float(spec.sampler[1].get("fps", 0.0)), float(window["end_s"]) - float(window["start_s"])
    clip = Clip("", window["start_s"], window["end_s"], (0.0,) * round(length_s * fps), 0)
    prompt = prompt_about(spec.prompt, item=spec.item, subject=subject, hears=hears, clip=clip, report=REPORT_WITHHELD)
    return f"{spec.system}\n\n{prompt}" if spec.system else prompt
