"""The systems that are compared, whatever they come from, and the items that all of them were asked.

A system is a run, a submission or a released model. Systems are joined by task, video and subject. A model that hears
is asked more than one that does not, and is held against more in the order of events: items that are not shared are
counted in a note.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from s3harness.errors import UsageError
from s3harness.metrics.base import Pair
from s3harness.paper.annotations import Annotations
from s3harness.paper.answers import ReleasedModel
from s3harness.paper.layout import Release
from s3harness.paper.strict import released_task
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_run import ScoredTask, read_run
from s3harness.specs.loading import task_names
from s3harness.specs.tasks import TaskSpec

Shared = Mapping[str, tuple[TaskSpec, Mapping[str, Sequence[Pair]]]]
"""Task → its spec, and the pairs of each system on the items that all were asked, in one order."""

Key = tuple[str, str]
"""Video and subject of an item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """One system: its tasks as they are scored, what it takes, and what it was asked about.

    ``fingerprint`` is the data set's; ``split`` names the videos that were asked about; ``missing`` says what it lacks.
    """

    name: str
    tasks: Mapping[str, ScoredTask]
    modalities: tuple[str, ...] = ("video",)
    fingerprint: str = ""
    split: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """The shared items of some systems, and sentences about what is not shared."""

    shared: Shared
    notes: tuple[str, ...] = field(default=())


def read_runs(directories: Sequence[Path], *, profile: str = "strict") -> list[System]:
    """Systems of run directories, named by their folders; :class:`UsageError` if one is there twice."""
    if len({path.resolve() for path in directories}) < len(directories):
        raise UsageError("a run cannot be compared with itself")
    names = folder_names(directories)
    return [read_system(path, name, profile=profile) for name, path in zip(names, directories, strict=True)]


def read_system(directory: Path, name: str, *, profile: str = "strict") -> System:
    """The system of a run directory."""
    run = read_manifest(directory)["run"]
    return System(
        name=name,
        tasks=read_run(directory, profile),
        modalities=tuple(run["model"]["modalities"]),
        fingerprint=str(run["dataset"].get("fingerprint", "")),
        split=str(run["split"]),
    )


def read_released(release: Release, annotations: Annotations, model: str, name: str) -> System:
    """The system of a released model, as the strict profile scores it; a task of which it has no file was not asked."""
    released = ReleasedModel(release, annotations, model)
    read = {task: released_task(released, task) for task in task_names()}
    lacking = {task: source.missing for task, (_, source) in read.items() if source.missing and not source.answers}
    return System(
        name=name,
        tasks={task: scored for task, (scored, _) in read.items() if scored.references and task not in lacking},
        modalities=released.modalities(),
        split=f"{release.part} part of the release",
        missing=tuple(f"{name}: {reason}" for reasons in lacking.values() for reason in reasons),
    )


def folder_names(directories: Sequence[Path]) -> list[str]:
    """Folders by their names, with as many folders above them as it takes to tell them apart."""
    parts = [path.resolve().parts for path in directories]
    depths = range(1, max(map(len, parts), default=0) + 1)
    named = (["/".join(own[-depth:]) for own in parts] for depth in depths)
    return next((names for names in named if len(set(names)) == len(names)), [])


def join(systems: Sequence[System], tasks: Collection[str] = ()) -> Joined:
    """Join systems on the items that all of them were asked, in the order of the first; ``tasks`` are all if none.

    Raises :class:`UsageError` if they share no task or no item, or if the truth of a shared item differs although the
    systems take the same modalities.
    """
    wanted = [task for task in _in_order(systems) if not tasks or task in tasks]
    notes = list(dict.fromkeys(reason for system in systems for reason in system.missing))
    shared = {}
    for task in wanted:
        having = [system for system in systems if task in system.tasks]
        if len(having) < len(systems):
            notes.append(f"{task} is left out: only {_listed([system.name for system in having])} was asked it.")
            continue
        pairs, about = _joined_task(task, systems)
        notes += about
        if next(iter(pairs.values())):
            shared[task] = (systems[0].tasks[task].spec, pairs)
    if not shared:
        raise UsageError(_nothing_shared(systems, wanted))
    return Joined(shared, tuple(notes))


def _in_order(systems: Sequence[System]) -> list[str]:
    return list(dict.fromkeys(task for system in systems for task in system.tasks))


def _joined_task(task: str, systems: Sequence[System]) -> tuple[dict[str, list[Pair]], list[str]]:
    """The pairs of each system on the shared items of one truth, and what is to be said."""
    by_key = {system.name: _by_key(system.tasks[task]) for system in systems}
    first = by_key[systems[0].name]
    keys = [key for key in first if all(key in pairs for pairs in by_key.values())]
    counts = [len(pairs) for pairs in by_key.values()]
    notes = []
    if any(count > len(keys) for count in counts):
        notes.append(f"{task}: of {_listed([f'{count:,}' for count in counts])} items {len(keys):,} are shared.")
    other = [key for key in keys if not _one_truth([pairs[key].reference.truth for pairs in by_key.values()])]
    if other:
        notes.append(_about_truths(task, systems, by_key, other, len(keys)))
        keys = [key for key in keys if key not in set(other)]
    return {name: [pairs[key] for key in keys] for name, pairs in by_key.items()}, notes


def _by_key(task: ScoredTask) -> dict[Key, Pair]:
    pairs = (Pair(r, p) for r, p in zip(task.references, task.predictions, strict=True))
    return {(pair.reference.video_id, pair.reference.subject): pair for pair in pairs}


def _one_truth(truths: Sequence[object]) -> bool:
    """Whether truths are equal, also those of which one comes from JSON."""
    return all(truth == truths[0] or _plain(truth) == _plain(truths[0]) for truth in truths[1:])


def _plain(truth: object) -> object:
    return json.loads(json.dumps(truth))


def _about_truths(
    task: str, systems: Sequence[System], by_key: Mapping[str, Mapping[Key, Pair]], other: Sequence[Key], n_items: int
) -> str:
    """The sentence about items that are left out because their truth depends on what a model takes.

    Raises :class:`UsageError` where two systems that take the same have different truths.
    """
    for one, two in combinations(systems, 2):
        differ = [
            key for key in other if not _one_truth([by_key[system.name][key].reference.truth for system in (one, two)])
        ]
        if differ and set(one.modalities) == set(two.modalities):
            video, subject = differ[0]
            raise UsageError(
                f"{one.name} and {two.name} disagree about the truth of {len(differ):,} of {n_items:,} shared items of "
                f"{task}, the first being {subject} of {video}: {_cause(one, two)}, or leave the task out with --tasks"
            )
    takes = "; ".join(f"{system.name} takes {_listed(sorted(system.modalities))}" for system in systems)
    return (
        f"{task}: {len(other):,} of the {n_items:,} shared items are left out, because their truth depends on what a "
        f"model can see or hear ({takes})."
    )


def _cause(one: System, two: System) -> str:
    if one.fingerprint != two.fingerprint and one.fingerprint and two.fingerprint:
        return (
            f"they were made on different data sets or versions of one (fingerprints {one.fingerprint[:12]} and "
            f"{two.fingerprint[:12]}); run both on the same version"
        )
    if not one.fingerprint or not two.fingerprint:
        return "the run's data set and the release's annotations are not of one version; import the checkout again"
    return "both name the same data set, so the items of one were changed after its run; make that run again"


def _nothing_shared(systems: Sequence[System], tasks: Sequence[str]) -> str:
    if not any(all(task in system.tasks for system in systems) for task in tasks):
        have = "; ".join(f"{system.name} has {_listed(list(system.tasks)) or 'none'}" for system in systems)
        return f"the runs have no task in common: {have}"
    asked = "; ".join(f"{system.name} was asked {system.split or 'no named split'}" for system in systems)
    datasets = {system.fingerprint for system in systems if system.fingerprint}
    cause = " of different data sets" if len(datasets) > 1 else ""
    return f"the runs share no item: {asked}{cause}; compare runs of the same videos"


def _listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
