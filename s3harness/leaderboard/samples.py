"""Items of a submission one by one: prompt, raw answers, prediction and score."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecord:
    """One item: its task and truth, its prompt and raw answers, its prediction and its score."""

    spec: TaskSpec
    reference: Reference
    prediction: Prediction
    prompt: str
    responses: Sequence[Mapping[str, Any]]
    score: ItemScore


def read_samples(folder: Folder) -> Iterator[SampleRecord]:
    """Yield the samples of a submission that holds its truth, in its order, without items that no metric counts."""
    tasks, hears = _tasks(folder), model_of(folder.documents[MANIFEST]).hears()
    responses = {line["id"]: line for line in folder.tables[RESPONSES]}
    for task in tasks.values():
        for reference, prediction, score in zip(task.references, task.predictions, item_scores(task), strict=True):
            if score is not None:
                raw = [responses[request] for request in reference.requests if request in responses]
                # A task that uses another's answers has that task's prompts.
                source = tasks[task.spec.uses].spec if task.spec.uses in tasks else task.spec
                prompt = "" if source.uses or not raw else _prompt(source, reference.subject, raw[0]["clip"], hears)
                yield SampleRecord(
                    spec=task.spec,
                    reference=reference,
                    prediction=prediction,
                    prompt=prompt,
                    responses=raw,
                    score=score,
                )


def _tasks(folder: Folder) -> dict[str, ScoredTask]:
    """Return the tasks with the submission's own items and predictions."""
    scores = folder.documents[SCORES]
    specs = run_tasks(folder.documents[MANIFEST], scores["profile"], scores["rqi"])
    lines = [line for name, table in folder.tables.items() if name.startswith(f"{PREDICTIONS}/") for line in table]
    keys = ("item", "value", "status", "note", "probability")
    predicted = {line["item"]: Prediction(**{key: line[key] for key in keys}) for line in lines}
    tasks = {}
    for name, spec in specs.items():
        references = [reference_of(line) for line in folder.tables[ITEMS] if line["task"] == name]
        # A prediction that was not packed counts as a missing one.
        predictions = [predicted.get(r.item, Prediction(r.item, None, "missing")) for r in references]
        if references:
            tasks[name] = ScoredTask(spec, references, predictions)
    return tasks


def _prompt(task: TaskSpec, subject: str, window: Mapping[str, Any], hears: bool) -> str:
    """Return the prompt about a subject in a window, with a written report of the video withheld.

    A submission holds templates and windows only. The prompt made from them is the one sent, letter by letter, except
    that a number of frames in it is computed from the sampler's rate.
    """
    spec = task.for_subject(subject)
    # Prompts name seconds and numbers of frames; the times of the frames themselves do not occur in them.
    fps, length_s = float(spec.sampler[1].get("fps", 0.0)), float(window["end_s"]) - float(window["start_s"])
    clip = Clip("", window["start_s"], window["end_s"], (0.0,) * round(length_s * fps), 0)
    prompt = prompt_about(spec.prompt, item=spec.item, subject=subject, hears=hears, clip=clip, report=REPORT_WITHHELD)
    return f"{spec.system}\n\n{prompt}" if spec.system else prompt
