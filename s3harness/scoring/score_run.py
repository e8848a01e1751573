"""Scores of a run directory: journal and items in, ``predictions/`` and ``scores.json`` out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from s3harness.errors import SpecError, UsageError
from s3harness.files import atomic_write, write_json
from s3harness.metrics.base import Pair
from s3harness.plugins.manager import manager
from s3harness.rundir.identities import describe_mixture
from s3harness.rundir.items import Items
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import JournalIndex
from s3harness.rundir.manifest import describe_strategy, read_manifest
from s3harness.scoring.above_floor import corrected
from s3harness.scoring.answers import Readers
from s3harness.scoring.installed import check_installed
from s3harness.scoring.judging.judge import Judged
from s3harness.scoring.predictions import predicted
from s3harness.scoring.score_task import RESAMPLES, RQI, SEED, TaskScorer
from s3harness.specs.checks import check_foreign_task
from s3harness.specs.models import ModelCard
from s3harness.specs.rqi_presets import preset_name
from s3harness.specs.tasks import TaskSpec, resolve, with_rqi
from s3harness.types import Answer, Prediction, Reference, Score

PREDICTIONS = "predictions"
STRICT = "strict"
PART = 1024
"""Pairs of a task scored at a time: few enough that memory stays flat over 50,000 videos."""
SCHEMA = "s3harness/scores/v1"


@dataclass(frozen=True, slots=True)
class ScoredTask:
    """One task of a run: its spec, and reference and prediction of each item, in one order."""

    spec: TaskSpec
    references: Sequence[Reference]
    predictions: Sequence[Prediction]


def read_run(
    directory: Path, profile: str = "strict", rqi: str | None = None, kinds: Collection[str] = ()
) -> dict[str, ScoredTask]:
    """Return task → its references and predictions, for the tasks of a run that have items.

    ``rqi`` names another preset of the Seizure-RQI than the profile's, ``strict-2+redundancy`` say; ``kinds`` are the
    kinds of items wanted (``feature``, ``diagnosis`` …), all if empty.
    Raises :class:`UsageError` if the directory holds no run, or its answers name plugins that are not installed.
    """
    read: dict[str, list[Pair]] = {}
    tasks = run_tasks(read_manifest(directory), profile, rqi)
    for videos in _by_answers(directory, tasks, kinds):
        for pair in chain.from_iterable(videos):
            read.setdefault(pair.reference.task, []).append(pair)
    return {
        name: ScoredTask(spec, [pair.reference for pair in read[name]], [pair.prediction for pair in read[name]])
        for name, spec in tasks.items()
        if name in read
    }


def score_run(
    directory: Path,
    *,
    profile: str = "strict",
    rqi: str | None = None,
    judged: Judged | None = None,
    resamples: int = RESAMPLES,
) -> list[Score]:
    """Score the answers of a run and write predictions and scores; the same journal gives the same bytes.

    ``judged`` are a judge's scores of the run's reports (:func:`s3harness.scoring.judge_run.judge_run`). Where
    the scores are written :func:`scores_file` says. Raises :class:`UsageError` as :func:`read_run` does.
    """
    manifest = read_manifest(directory)
    tasks = run_tasks(manifest, profile, rqi)
    by_task: dict[str, list[Score]] = {}
    for videos in _by_answers(directory, tasks):
        scorers: dict[str, TaskScorer] = {}
        with _PredictionFiles(directory / predictions_folder(profile)) as files:
            for task, pairs in in_parts(videos):
                # At the first pair of a task: floors are fitted on its items, which a task without items has not.
                if task not in scorers:
                    scorers[task] = TaskScorer(tasks[task], Items(directory, (task,), {task: tasks[task].item}), judged)
                scorers[task].add(pairs)
                files.write(task, pairs)
        by_task |= {task: scorer.scores(resamples) for task, scorer in scorers.items()}
    scores = corrected(score for name in tasks for score in by_task.get(name, ()))
    data = as_json(scores, manifest, profile, rqi, resamples, judged)
    write_json(directory / scores_file(profile, rqi, judged), data)
    return scores


def scores_file(profile: str = "strict", rqi: str | None = None, judged: Judged | None = None) -> str:
    """Return the name of the file of these scores; reports and leaderboards read ``scores.json``."""
    # Each other way of scoring has a file of its own, so that no score is ever taken for another.
    named = [profile] if profile != STRICT else []
    named += [f"rqi-{preset_name(rqi)}"] if rqi else []
    named += [f"judge-{judged.name}"] if judged else []
    return re.sub(r"[^\w.+-]+", "_", "-".join(["scores", *named])) + ".json"


def predictions_folder(profile: str) -> str:
    """Return the name of the folder of predictions as a profile reads the answers."""
    return PREDICTIONS if profile == STRICT else f"{PREDICTIONS}-{profile}"


def run_tasks(manifest: Mapping[str, Any], profile: str, rqi: str | None = None) -> dict[str, TaskSpec]:
    """Return name → spec of the tasks of a run, as they were asked, resolved for a scoring profile.

    Raises :class:`UsageError` for a spec that is refused, and :class:`PluginError` naming a package that is missing.
    """
    specs = {name: task["spec"] for name, task in manifest["run"]["tasks"].items()}
    # A manifest may come from a stranger: its specs are checked before any part of them is used.
    for name, data in specs.items():
        try:
            check_foreign_task(name, data)
        except SpecError as error:
            raise UsageError(f"manifest.json: {error}") from error
    protocol, model = manifest["run"]["protocol"], model_of(manifest)
    resolved = {name: resolve(data, protocol=protocol, profile=profile, model=model) for name, data in specs.items()}
    check_installed(resolved.values(), manifest["run"]["plugins"])
    return {name: with_rqi(spec, rqi) if rqi else spec for name, spec in resolved.items()}


def model_of(manifest: Mapping[str, Any]) -> ModelCard:
    """Return the model card that a run was made with."""
    card = dict(manifest["run"]["model"])
    try:
        return ModelCard(**{**card, "modalities": tuple(card["modalities"])})
    except TypeError as error:
        raise UsageError(f"manifest.json: run.model: {error}") from error


def in_parts(videos: Iterable[Sequence[Pair]]) -> Iterator[tuple[str, list[Pair]]]:
    """Yield task and pairs, :data:`PART` of them or a few more at a time, those of a video together."""
    parts: dict[str, list[Pair]] = {}
    for video in videos:
        for pair in video:
            parts.setdefault(pair.reference.task, []).append(pair)
        # A list, because parts shrinks meanwhile.
        yield from [(task, parts.pop(task)) for task in list(parts) if len(parts[task]) >= PART]
    yield from parts.items()


class _PredictionFiles(ExitStack):
    """The files ``<folder>/<task>.jsonl``, written as a whole or not at all: item, prediction and truth a line."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder, self._files = folder, dict[str, TextIO]()

    def write(self, task: str, pairs: Iterable[Pair]) -> None:
        """Write a line for each pair."""
        if task not in self._files:
            path = self._folder / f"{task.rpartition('/')[2]}.jsonl"
            # Private, since the lines hold the truth: reports and diagnoses.
            self._files[task] = self.enter_context(atomic_write(path, is_private=True))
        self._files[task].writelines(f"{_ENCODER.encode(_prediction_line(pair))}\n" for pair in pairs)


# Made once, for json.dumps with options makes a new encoder at each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=asdict)


def _prediction_line(pair: Pair) -> dict[str, object]:
    prediction = {field.name: getattr(pair.prediction, field.name) for field in fields(pair.prediction)}
    return prediction | {"subject": pair.reference.subject, "truth": pair.reference.truth}


def _by_answers(
    directory: Path, tasks: Mapping[str, TaskSpec], kinds: Collection[str] = ()
) -> Iterator[Iterator[list[Pair]]]:
    """Yield, for each task that was asked, the pairs of all tasks that read its answers, video by video."""
    # Tasks 1 and 2 read the same answers: grouped so, each answer is parsed once, and a large run is never in memory.
    sources = {name: spec.uses or name for name, spec in tasks.items() if not kinds or spec.item in kinds}
    with JournalIndex(directory / JOURNAL, sources.values()) as journal:
        for source in dict.fromkeys(sources.values()):
            names = [name for name in sources if sources[name] == source]
            items = Items(directory, names, {name: tasks[name].item for name in names})
            readers = Readers({source: tasks[source]} if source in tasks else {})
            yield predicted(items, partial(_answers, readers, journal, source), tasks)


def _answers(readers: Readers, journal: JournalIndex, task: str, video_id: str) -> Mapping[str, Answer]:
    return readers.read(journal.entries(task, video_id))


def as_json(
    scores: Sequence[Score],
    manifest: Mapping[str, Any],
    profile: str,
    rqi: str | None,
    resamples: int,
    judged: Judged | None = None,
) -> dict[str, Any]:
    """Return the content of a file of scores; optional parts are left out where a run has none of them."""
    run = manifest["run"]
    # A penalty that is named at scoring may be of a package that the manifest does not list.
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
        **({"strategy": run["strategy"]} if run.get("strategy") else {}),
        **({"mixture": mixture} if (mixture := describe_mixture(manifest)) else {}),
        "rqi": preset_name(rqi) if rqi else None,
        **_rqi_preset(run_tasks(manifest, profile, rqi)),
        "plugins": run["plugins"] | {entry.package: entry.version for entry in penalties},
        "interval": {"level": 0.95, "resampled": "patients", "resamples": resamples, "seed": SEED},
        **({"judge": {**judged.about, "reports": judged.counts()}} if judged else {}),
        "scores": [asdict(score) | {"skill": score.skill} for score in scores],
    }


def _rqi_preset(tasks: Mapping[str, TaskSpec]) -> dict[str, str]:
    """Return the full name of the preset of the Seizure-RQI; empty if no task has that metric."""
    metrics = [metric for spec in tasks.values() for metric in spec.metrics if metric.name == RQI]
    return {"rqi_preset": preset_name(str(metrics[0].params.get("preset", "strict")))} if metrics else {}


def shown_through(run: Mapping[str, Any]) -> list[str]:
    """Return the names of the transforms that clips were shown through, from a manifest's ``run``."""
    return [str(transform["name"]) for transform in run.get("transforms", ())]


def describe_changes(run: Mapping[str, Any]) -> str:
    """Describe in a sentence what a run changed of clips and prompts, from a manifest's ``run``; empty if nothing."""
    names = shown_through(run)
    through = f"the clips were shown through {', '.join(names)}" if names else ""
    probe = f"it was asked by the probe {run['probe']}" if run.get("probe") else ""
    text = "; ".join(filter(None, (through, probe)))
    return f"{text[0].upper()}{text[1:]}." if text else ""


def describe_cautions(manifest: Mapping[str, Any]) -> str:
    """Describe what a reader of the scores must know: changes, a strategy, and that several models answered."""
    cautions = (describe_changes(manifest["run"]), describe_strategy(manifest), describe_mixture(manifest))
    return " ".join(filter(None, cautions))
