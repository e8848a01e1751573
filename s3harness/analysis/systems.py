"""Systems to compare, from any source, and the items that they share.

A system is a run, a submission or a released model. Systems are joined by task, video and subject. A model with audio
has more items than one without, and more signs in the order of events: items that are not shared are counted in a note.
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
"""Task → its spec, and the pairs of each system on the shared items, in one order."""

Key = tuple[str, str]
"""Video and subject of an item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredSystem:
    """One system: its scored tasks, its modalities, and its videos.

    ``fingerprint`` is the data set's; ``split`` names the videos of the system; ``missing`` are notes on tasks without
    answers.
    """

    name: str
    tasks: Mapping[str, ScoredTask]
    modalities: tuple[str, ...] = ("video",)
    fingerprint: str = ""
    split: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """The shared items of some systems, and sentences about items that are not shared."""

    shared: Shared
    notes: tuple[str, ...] = field(default=())


def read_runs(directories: Sequence[Path], *, profile: str = "strict") -> list[ScoredSystem]:
    """Read the systems of run directories, named by their folders; :class:`UsageError` if a run is named twice."""
    # Resolved, as two paths may lead to one run.
    if len({path.resolve() for path in directories}) < len(directories):
        raise UsageError("a run cannot be compared with itself")
    names = folder_names(directories)
    return [read_system(path, name, profile=profile) for name, path in zip(names, directories, strict=True)]


def read_system(directory: Path, name: str, *, profile: str = "strict") -> ScoredSystem:
    """Read the system of a run directory."""
    run = read_manifest(directory)["run"]
    return ScoredSystem(
        name=name,
        tasks=read_run(directory, profile),
        modalities=tuple(run["model"]["modalities"]),
        fingerprint=str(run["dataset"].get("fingerprint", "")),
        split=str(run["split"]),
    )


def read_released(release: Release, annotations: Annotations, model: str, name: str) -> ScoredSystem:
    """Read the system of a released model, as the strict profile scores it, without tasks that it has no file of."""
    released = ReleasedModel(release, annotations, model)
    read = {task: released_task(released, task) for task in task_names()}
    # No answer at all: the task was not run, so that comparing it as all wrong would be unfair.
    lacking = {task: answers.missing for task, (_, answers) in read.items() if answers.missing and not answers.answers}
    return ScoredSystem(
        name=name,
        tasks={task: scored for task, (scored, _) in read.items() if scored.references and task not in lacking},
        modalities=released.modalities(),
        split=f"{release.part} part of the release",
        missing=tuple(f"{name}: {reason}" for reasons in lacking.values() for reason in reasons),
    )


def folder_names(directories: Sequence[Path]) -> list[str]:
    """Return the names of folders, with as many parent folders as are needed to make them distinct."""
    # The depth is one for all, so that the names look alike.
    parts = [path.resolve().parts for path in directories]
    depths = range(1, max(map(len, parts), default=0) + 1)
    named = (["/".join(own[-depth:]) for own in parts] for depth in depths)
    return next((names for names in named if len(set(names)) == len(names)), [])


def join(systems: Sequence[ScoredSystem], tasks: Collection[str] = ()) -> Joined:
    """Join systems on their shared items, in the order of the first system; no ``tasks`` means all tasks.

    Raises :class:`UsageError` if they share no task or no item, or if the truth of a shared item differs although the
    systems take the same modalities.
    """
    chosen = [task for task in _task_order(systems) if not tasks or task in tasks]
    notes = list(dict.fromkeys(reason for system in systems for reason in system.missing))
    shared = {}
    for task in chosen:
        with_task = [system for system in systems if task in system.tasks]
        if len(with_task) < len(systems):
            names = [system.name for system in with_task]
            verb = "has" if len(names) == 1 else "have"
            notes.append(f"{task} is left out: only {_listed(names)} {verb} it.")
            continue
        pairs, task_notes = _joined_task(task, systems)
        notes += task_notes
        # All systems have the same keys, so the first one tells whether any item is left.
        if next(iter(pairs.values())):
            shared[task] = (systems[0].tasks[task].spec, pairs)
    if not shared:
        raise UsageError(_nothing_shared(systems, chosen))
    return Joined(shared, tuple(notes))


def _task_order(systems: Sequence[ScoredSystem]) -> list[str]:
    return list(dict.fromkeys(task for system in systems for task in system.tasks))


def _joined_task(task: str, systems: Sequence[ScoredSystem]) -> tuple[dict[str, list[Pair]], list[str]]:
    """Return the pairs of each system on the shared items with one truth, and notes on the other items."""
    # By video and subject: item names of a run and of a released model need not be spelt alike.
    by_key = {system.name: _by_key(system.tasks[task]) for system in systems}
    first = by_key[systems[0].name]
    keys = [key for key in first if all(key in pairs for pairs in by_key.values())]
    counts = [len(pairs) for pairs in by_key.values()]
    notes = []
    if any(count > len(keys) for count in counts):
        notes.append(f"{task}: of {_listed([f'{count:,}' for count in counts])} items {len(keys):,} are shared.")
    # A pair of systems is compared on one question: the same subject with another truth is another question.
    differing = [key for key in keys if not _is_one_truth([pairs[key].reference.truth for pairs in by_key.values()])]
    if differing:
        notes.append(_truth_note(task, systems, by_key, differing, len(keys)))
        keys = [key for key in keys if key not in set(differing)]
    return {name: [pairs[key] for key in keys] for name, pairs in by_key.items()}, notes


def _by_key(task: ScoredTask) -> dict[Key, Pair]:
    pairs = (Pair(r, p) for r, p in zip(task.references, task.predictions, strict=True))
    return {(pair.reference.video_id, pair.reference.subject): pair for pair in pairs}


def _is_one_truth(truths: Sequence[object]) -> bool:
    """Return whether truths are equal, comparing tuples with the lists that JSON turns them into."""
    return all(truth == truths[0] or _as_json(truth) == _as_json(truths[0]) for truth in truths[1:])


def _as_json(truth: object) -> object:
    return json.loads(json.dumps(truth))


def _truth_note(
    task: str,
    systems: Sequence[ScoredSystem],
    by_key: Mapping[str, Mapping[Key, Pair]],
    differing: Sequence[Key],
    n_items: int,
) -> str:
    """Return the note on items that are left out because their truth depends on a model's modalities.

    Raises :class:`UsageError` where two systems with the same modalities have different truths.
    """
    for one, two in combinations(systems, 2):
        differ = [
            key
            for key in differing
            if not _is_one_truth([by_key[system.name][key].reference.truth for system in (one, two)])
        ]
        # Equal modalities give equal truths on one version of a data set: this is a mistake of the call.
        if differ and set(one.modalities) == set(two.modalities):
            video, subject = differ[0]
            raise UsageError(
                f"{one.name} and {two.name} disagree about the truth of {len(differ):,} of {n_items:,} shared items of "
                f"{task}, the first being {subject} of {video}: {_cause(one, two)}, or leave the task out with --tasks"
            )
    takes = "; ".join(f"{system.name} takes {_listed(sorted(system.modalities))}" for system in systems)
    return (
        f"{task}: {len(differing):,} of the {n_items:,} shared items are left out, because their truth depends on "
        f"what a model can see or hear ({takes})."
    )


def _cause(one: ScoredSystem, two: ScoredSystem) -> str:
    # A released model has no fingerprint, as a checkout is not a data set directory.
    if one.fingerprint != two.fingerprint and one.fingerprint and two.fingerprint:
        return (
            f"they were made on different data sets or versions of one (fingerprints {one.fingerprint[:12]} and "
            f"{two.fingerprint[:12]}); run both on the same version"
        )
    if not one.fingerprint or not two.fingerprint:
        return "the run's data set and the release's annotations are not of one version; import the checkout again"
    return "both name the same data set, so the items of one were changed after its run; make that run again"


def _nothing_shared(systems: Sequence[ScoredSystem], tasks: Sequence[str]) -> str:
    if not any(all(task in system.tasks for system in systems) for task in tasks):
        task_lists = "; ".join(f"{system.name} has {_listed(list(system.tasks)) or 'none'}" for system in systems)
        return f"the runs have no task in common: {task_lists}"
    splits = "; ".join(f"{system.name} covers {system.split or 'no named split'}" for system in systems)
    datasets = {system.fingerprint for system in systems if system.fingerprint}
    cause = " of different data sets" if len(datasets) > 1 else ""
    return f"the runs share no item: {splits}{cause}; compare runs of the same videos"


def _listed(words: Sequence[str]) -> str:
    """Join words as a list in a sentence."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
