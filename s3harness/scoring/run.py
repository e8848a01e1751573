"""Scoring a run directory: journal and items in, ``predictions/`` and ``scores.json`` out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.plugins import manager
from s3harness.run.journal import FILE as JOURNAL
from s3harness.run.journal import read_journal
from s3harness.run.manifest import read_manifest, write_json, write_text
from s3harness.scoring.answers import read_answers
from s3harness.scoring.installed import check_installed
from s3harness.scoring.items import read_items
from s3harness.scoring.judging import Judged
from s3harness.scoring.predictions import predict
from s3harness.scoring.score import RESAMPLES, SEED, score_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec, resolve, with_rqi
from s3harness.types import Answer, Interval, Prediction, Reference, Score

FILE = "scores.json"
PREDICTIONS = "predictions"
STRICT = "strict"
SCHEMA = "s3harness/scores/v1"


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """One task of a run, read: its spec, and reference and prediction of each item, in one order."""

    spec: TaskSpec
    references: Sequence[Reference]
    predictions: Sequence[Prediction]


def read_run(
    directory: Path, profile: str = "strict", rqi: str | None = None, kinds: Collection[str] = ()
) -> dict[str, ScoredTask]:
    """Task → its references and predictions, for the tasks of a run that have items.

    ``rqi`` names another preset of the Seizure-RQI than the profile's, ``strict+redundancy`` say; ``kinds`` are the
    kinds of items wanted (``feature``, ``diagnosis`` …), all if there is none.
    Raises :class:`UsageError` if the directory holds no run, or its answers name plugins that are not installed.
    """
    return {task.spec.name: task for task in tasks_of(directory, profile, rqi, kinds)}


def tasks_of(
    directory: Path, profile: str = "strict", rqi: str | None = None, kinds: Collection[str] = ()
) -> Iterator[ScoredTask]:
    """What :func:`read_run` reads, one task after the other: those of a large run are not in memory together."""
    tasks = run_tasks(read_manifest(directory), profile, rqi)
    source, answers = "", dict[str, Answer]()
    for spec in tasks.values():
        if kinds and spec.item not in kinds:
            continue
        references = read_items(directory, spec.name)
        if not references:
            continue
        asked = spec.uses or spec.name
        if asked != source:
            answers.clear()
            wanted = {asked: tasks[asked]} if asked in tasks else {}
            source, answers = asked, read_answers(read_journal(directory / JOURNAL, wanted), wanted)
        yield ScoredTask(spec, references, predict(references, answers, spec))


def score_run(
    directory: Path,
    *,
    profile: str = "strict",
    rqi: str | None = None,
    judged: Judged | None = None,
    resamples: int = RESAMPLES,
) -> list[Score]:
    """Score the answers of a run and write what comes of it; the same journal gives the same bytes.

    ``judged`` is what a judge made of the run's reports (:func:`s3harness.scoring.judged_run.judge_run`). Where it is
    written :func:`scores_file` says. Raises :class:`UsageError` as :func:`read_run` does.
    """
    scores: list[Score] = []
    for task in tasks_of(directory, profile, rqi):
        write_predictions(directory / predictions_folder(profile), task.spec, task.references, task.predictions)
        scores += score_task(task.spec, task.references, task.predictions, resamples=resamples, judged=judged)
    found = as_json(scores, read_manifest(directory), profile, rqi, resamples, judged)
    write_json(directory / scores_file(profile, rqi, judged), found)
    return scores


def scores_file(profile: str = "strict", rqi: str | None = None, judged: Judged | None = None) -> str:
    """The name of the file of scores made in this way: ``scores.json`` is what reports and leaderboards read.

    Whatever is scored in another way has a file of its own, so that no score is ever taken for another.
    """
    named = [profile] if profile != STRICT else []
    named += [f"rqi-{rqi}"] if rqi else []
    named += [f"judge-{judged.name}"] if judged else []
    return re.sub(r"[^\w.+-]+", "_", "-".join(["scores", *named])) + ".json"


def predictions_folder(profile: str) -> str:
    """The name of the folder of predictions as a profile reads the answers."""
    return PREDICTIONS if profile == STRICT else f"{PREDICTIONS}-{profile}"


def run_tasks(manifest: Mapping[str, Any], profile: str, rqi: str | None = None) -> dict[str, TaskSpec]:
    """Name → spec of the tasks of a run, as they were asked, to be read and scored by a profile.

    Raises :class:`PluginError` naming the package that is not installed, if one brought what they name.
    """
    specs = {name: task["spec"] for name, task in manifest["run"]["tasks"].items()}
    protocol, model = manifest["run"]["protocol"], model_of(manifest)
    resolved = {name: resolve(data, protocol=protocol, profile=profile, model=model) for name, data in specs.items()}
    check_installed(resolved.values(), manifest["run"]["plugins"])
    return {name: with_rqi(spec, rqi) if rqi else spec for name, spec in resolved.items()}


def model_of(manifest: Mapping[str, Any]) -> ModelCard:
    """The model card that a run was made with."""
    card = dict(manifest["run"]["model"])
    return ModelCard(**{**card, "modalities": tuple(card["modalities"])})


def write_predictions(
    folder: Path, spec: TaskSpec, references: Sequence[Reference], predictions: Sequence[Prediction]
) -> None:
    """``<folder>/<task>.jsonl``: item, prediction and truth side by side."""
    rows = [
        {**asdict(prediction), "subject": reference.subject, "truth": reference.truth}
        for reference, prediction in zip(references, predictions, strict=True)
    ]
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
    write_text(folder / f"{spec.name.split('/')[-1]}.jsonl", "".join(f"{line}\n" for line in lines))


def as_json(
    scores: Sequence[Score],
    manifest: Mapping[str, Any],
    profile: str,
    rqi: str | None,
    resamples: int,
    judged: Judged | None = None,
) -> dict[str, Any]:
    """What a file of scores holds; who judged only where somebody did."""
    run = manifest["run"]
    penalties = [manager().registry.entry("rqi_penalty", name) for name in rqi.split("+")[1:]] if rqi else []
    return {
        "schema": SCHEMA,
        "model": run["model"]["name"],
        "backend": run["backend"],
        "protocol": run["protocol"],
        "profile": profile,
        "sees_truth": run["sees_truth"],
        **({"transforms": shown_through(run)} if shown_through(run) else {}),
        **({"probe": run["probe"]} if run.get("probe") else {}),
        "rqi": rqi,
        "plugins": run["plugins"] | {entry.package: entry.version for entry in penalties},
        "interval": {"level": 0.95, "resampled": "patients", "resamples": resamples, "seed": SEED},
        **({"judge": {**judged.about, "reports": judged.counts()}} if judged else {}),
        "scores": [asdict(score) | {"skill": score.skill} for score in scores],
    }


def shown_through(run: Mapping[str, Any]) -> list[str]:
    """The names of the transforms that clips were shown through, from a manifest's ``run``."""
    return [str(transform["name"]) for transform in run.get("transforms", ())]


def told_changes(run: Mapping[str, Any]) -> str:
    """What a run changed of what is shown and asked, in a sentence, from a manifest's ``run``; empty if nothing."""
    names = shown_through(run)
    through = f"the clips were shown through {', '.join(names)}" if names else ""
    probe = f"it was asked by the probe {run['probe']}" if run.get("probe") else ""
    told = "; ".join(filter(None, (through, probe)))
    return f"{told[0].upper()}{told[1:]}." if told else ""


def read_scores(directory: Path) -> list[Score]:
    """The scores of a run directory, or :class:`UsageError`."""
    path = directory / FILE
    try:
        return [score_of(row) for row in json.loads(path.read_text(encoding="utf-8"))["scores"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: no scores can be read; run s3harness score {directory} first") from error


def score_of(row: Mapping[str, Any]) -> Score:
    """A score from its JSON; ``KeyError`` or ``TypeError`` if it is none."""
    interval = Interval(**row["interval"]) if row["interval"] else None
    return Score(**{**{key: value for key, value in row.items() if key != "skill"}, "interval": interval})
