"""What the report shows, gathered from a run directory as plain values; nothing here knows of HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.analysis.attribution import HIT, REJECTED, UNTESTED, Loss, Outcome, counts, losses, outcomes
from s3harness.analysis.consistency import Consistency, self_consistency
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_run import ScoredTask, read_run, read_scores
from s3harness.specs.features import vocabulary
from s3harness.types import Reference, Score


@dataclass(frozen=True)
class Confusion:
    """How often each truth (row) got each answer (column)."""

    title: str
    truths: tuple[str, ...]
    answers: tuple[str, ...]
    cells: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Content:
    """A run as the report shows it."""

    manifest: Mapping[str, Any]
    scores: Sequence[Score]
    tasks: Mapping[str, ScoredTask]
    outcomes: Sequence[Outcome]
    losses: Sequence[Loss]
    consistency: Consistency

    @property
    def outcome_counts(self) -> dict[str, Counter[str]]:
        """Task → how many items ended in each way."""
        return counts(self.outcomes)

    @property
    def n_videos(self) -> int:
        """How many videos there are items of."""
        return len({reference.video_id for task in self.tasks.values() for reference in task.references})

    def of_kind(self, kind: str) -> ScoredTask | None:
        """The task whose items are of a kind, if the run has one."""
        return next((task for task in self.tasks.values() if task.spec.item == kind), None)


def gather(run: Path) -> Content:
    """Read a finished run; :class:`UsageError` if it is none, or has no scores."""
    tasks = read_run(run)
    scores = read_scores(run)
    return Content(read_manifest(run), scores, tasks, outcomes(tasks), losses(tasks), self_consistency(tasks))


def heat_map(content: Content) -> list[dict[str, Any]]:
    """One row a sign: how often it is there, sensitivity, specificity, F1, and how many items were not read."""
    task = content.of_kind("feature")
    if task is None:
        return []
    tally: dict[str, Counter[tuple[str, str]]] = {}
    for reference, prediction in zip(task.references, task.predictions, strict=True):
        answer = "lost" if prediction.value is None else str(prediction.value)
        tally.setdefault(reference.subject, Counter())[str(reference.truth), answer] += 1
    titles = {feature.name: feature.title for feature in vocabulary().features}
    return [_sign_row(titles[name], tally[name]) for name in vocabulary().names if name in tally]


def _sign_row(title: str, tally: Counter[tuple[str, str]]) -> dict[str, Any]:
    positives = sum(n for (truth, _), n in tally.items() if truth == "yes")
    negatives = sum(n for (truth, _), n in tally.items() if truth == "no")
    hits, false_alarms = tally["yes", "yes"], tally["no", "yes"]
    rejected = tally["no", "no"]
    predicted = hits + false_alarms
    return {
        "sign": title,
        "present": positives,
        "absent": negatives,
        "untested": sum(n for (truth, _), n in tally.items() if truth == "untested"),
        "sensitivity": hits / positives if positives else None,
        "specificity": rejected / negatives if negatives else None,
        "precision": hits / predicted if predicted else None,
        "F1": 2 * hits / (predicted + positives) if predicted + positives else None,
        "unread": sum(n for (_, answer), n in tally.items() if answer == "lost"),
    }


def confusions(content: Content) -> list[Confusion]:
    """The confusion tables of signs, sides and diagnoses."""
    titles = {"feature": "Signs", "laterality": "Sides", "diagnosis": "Diagnosis"}
    asked = [(title, task) for kind, title in titles.items() if (task := content.of_kind(kind))]
    return [_confusion(title, subject, task) for title, task in asked for subject in _grouped(task)]


def _grouped(task: ScoredTask) -> list[str]:
    """All signs make one table, everything else one for each subject."""
    return [""] if task.spec.item == "feature" else list(dict.fromkeys(r.subject for r in task.references))


def _confusion(title: str, subject: str, task: ScoredTask) -> Confusion:
    cells: Counter[tuple[str, str]] = Counter()
    for reference, prediction in zip(task.references, task.predictions, strict=True):
        if subject in ("", reference.subject):
            answer = f"({prediction.status})" if prediction.value is None else str(prediction.value)
            cells[str(reference.truth), answer] += 1
    truths, answers = ({key[place] for key in cells} for place in (0, 1))
    named = f"{title}: {subject.replace('_', ' ')}" if subject else title
    return Confusion(named, tuple(sorted(truths)), tuple(sorted(answers)), dict(cells))


def time_errors(content: Content) -> dict[str, list[float]]:
    """Answered minus true seconds, for onsets of signs, and for the onset and offset of the event."""
    task = content.of_kind("boundary")
    found: dict[str, list[float]] = {}
    if task is not None:
        for reference, prediction in zip(task.references, task.predictions, strict=True):
            if prediction.value is not None:
                name = reference.subject.replace("_", " ") if reference.subject.startswith("seizure") else "signs"
                found.setdefault(name, []).append(float(str(prediction.value)) - float(str(reference.truth)))
    return found


def order_errors(content: Content) -> dict[str, Counter[str]]:
    """Sign → how often its place in the list of events was right, wrong, or missing, or it was invented.

    The benchmark's signs come first, in its order, then words that are none of them.
    """
    found: dict[str, Counter[str]] = {}
    for outcome in content.outcomes:
        if outcome.subject == "sequence" and outcome.detail:
            found.setdefault(outcome.detail, Counter())[outcome.kind] += 1
    titles = {feature.name: feature.title for feature in vocabulary().features}
    return {titles.get(name, name): found[name] for name in (*titles, *sorted(found.keys() - titles)) if name in found}


def timelines(content: Content) -> list[dict[str, Any]]:
    """One entry a video: the lanes of its signs, its windows, and all answers; no file, no patient."""
    videos: dict[str, dict[str, Any]] = {}
    by_item: dict[str, list[Outcome]] = {}
    for outcome in content.outcomes:
        by_item.setdefault(outcome.item, []).append(outcome)
    for task in content.tasks.values():
        for reference, prediction in zip(task.references, task.predictions, strict=True):
            video = videos.setdefault(reference.video_id, {"id": reference.video_id, "items": [], "end": 1.0})
            video["items"].append(_item(task, reference, asdict(prediction), by_item.get(reference.item, [])))
            video["end"] = max(video["end"], reference.window[1] if reference.window else 0.0)
    return list(videos.values())


def _item(
    task: ScoredTask, reference: Reference, prediction: Mapping[str, Any], found: Sequence[Outcome]
) -> dict[str, Any]:
    kinds = [outcome.kind for outcome in found]
    details: dict[str, list[str]] = {}
    for outcome in found:
        if outcome.detail:
            details.setdefault(outcome.kind, []).append(outcome.detail.replace("_", " "))
    return {
        "task": task.spec.name,
        "kind": task.spec.item,
        "subject": reference.subject,
        "truth": reference.truth,
        "value": prediction["value"],
        "status": prediction["status"],
        "note": prediction["note"],
        "outcome": ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in Counter(kinds).items()),
        "detail": "; ".join(f"{kind}: {', '.join(told)}" for kind, told in details.items()),
        "wrong": not {*kinds} <= {HIT, REJECTED, UNTESTED},
        "window": reference.window,
        "requests": reference.requests,
    }
