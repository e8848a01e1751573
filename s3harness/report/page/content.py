"""Content of the report as plain values, read from a run directory; independent of HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.analysis.attribution import HIT, REJECTED, UNTESTED, ItemOutcome, Loss, counts, losses, outcomes
from s3harness.analysis.consistency import Consistency, self_consistency
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_file import read_scores
from s3harness.scoring.score_run import ScoredTask, read_run
from s3harness.specs.features import vocabulary
from s3harness.types import Reference, Score


@dataclass(frozen=True)
class Confusion:
    """Confusion matrix: number of items by truth (row) and answer (column)."""

    title: str
    truths: tuple[str, ...]
    answers: tuple[str, ...]
    cells: Mapping[tuple[str, str], int]


@dataclass(frozen=True, kw_only=True)
class Content:
    """Content of a run's report."""

    manifest: Mapping[str, Any]
    scores: Sequence[Score]
    tasks: Mapping[str, ScoredTask]
    outcomes: Sequence[ItemOutcome]
    losses: Sequence[Loss]
    consistency: Consistency

    @property
    def outcome_counts(self) -> dict[str, Counter[str]]:
        """Task → number of items by outcome."""
        return counts(self.outcomes)

    @property
    def n_videos(self) -> int:
        """Number of videos with items."""
        return len({reference.video_id for task in self.tasks.values() for reference in task.references})

    def kind_of(self, task: str) -> str:
        """Return the kind of a task's items, as its spec declares it; empty if the run has no such task."""
        return self.tasks[task].spec.item if task in self.tasks else ""

    def of_kind(self, kind: str) -> ScoredTask | None:
        """Return the task whose items are of a kind, if the run has one."""
        # The first one: the sections of the report are about one task of a kind each.
        return next((task for task in self.tasks.values() if task.spec.item == kind), None)


def read_content(run: Path) -> Content:
    """Read a finished run.

    Raises :class:`UsageError` if ``run`` is not a run directory, or has no scores.
    """
    tasks = read_run(run)
    scores = read_scores(run)
    return Content(
        manifest=read_manifest(run),
        scores=scores,
        tasks=tasks,
        outcomes=outcomes(tasks),
        losses=losses(tasks),
        consistency=self_consistency(tasks),
    )


def heat_map(content: Content) -> list[dict[str, Any]]:
    """Return one row per sign: frequency, sensitivity, specificity, precision, F1, refusals and unread answers."""
    task = content.of_kind("feature")
    if task is None:
        return []
    tally: dict[str, Counter[tuple[str, str]]] = {}
    for reference, prediction in zip(task.references, task.predictions, strict=True):
        # In brackets, so that no answer is taken for a missing one.
        answer = f"({prediction.status})" if prediction.value is None else str(prediction.value)
        tally.setdefault(reference.subject, Counter())[str(reference.truth), answer] += 1
    # The benchmark's signs in its order, then those of a task of the user's own.
    titles = feature_titles()
    names = [*(name for name in titles if name in tally), *(name for name in tally if name not in titles)]
    return [_sign_row(titles.get(name, name.replace("_", " ")), tally[name]) for name in names]


def feature_titles() -> dict[str, str]:
    """Return sign → title, in the benchmark's order."""
    return {feature.name: feature.title for feature in vocabulary().features}


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
        "refused": sum(n for (_, answer), n in tally.items() if answer == "(refused)"),
        "unread": sum(n for (_, answer), n in tally.items() if answer.startswith("(") and answer != "(refused)"),
    }


def confusions(content: Content) -> list[Confusion]:
    """Return the confusion matrices of signs, sides and diagnoses."""
    titles = {"feature": "Signs", "laterality": "Sides", "diagnosis": "Diagnosis"}
    tasks = [(title, task) for kind, title in titles.items() if (task := content.of_kind(kind))]
    return [_confusion(title, subject, task) for title, task in tasks for subject in _grouped(task)]


def _grouped(task: ScoredTask) -> list[str]:
    """Return the subjects with a matrix of their own, or an empty text for one matrix of all signs together."""
    return [""] if task.spec.item == "feature" else list(dict.fromkeys(r.subject for r in task.references))


def _confusion(title: str, subject: str, task: ScoredTask) -> Confusion:
    cells: Counter[tuple[str, str]] = Counter()
    for reference, prediction in zip(task.references, task.predictions, strict=True):
        if subject in ("", reference.subject):
            # In brackets, so that no answer is taken for a missing one.
            answer = f"({prediction.status})" if prediction.value is None else str(prediction.value)
            cells[str(reference.truth), answer] += 1
    truths, answers = ({key[place] for key in cells} for place in (0, 1))
    named = f"{title}: {subject.replace('_', ' ')}" if subject else title
    return Confusion(named, tuple(sorted(truths)), tuple(sorted(answers)), dict(cells))


def time_errors(content: Content) -> dict[str, list[float]]:
    """Return answered minus true seconds, for onsets of signs together, and for each boundary of the event."""
    task = content.of_kind("boundary")
    errors: dict[str, list[float]] = {}
    signs = feature_titles()
    if task is not None:
        for reference, prediction in zip(task.references, task.predictions, strict=True):
            if prediction.value is not None:
                name = "signs" if reference.subject in signs else reference.subject.replace("_", " ")
                errors.setdefault(name, []).append(float(str(prediction.value)) - float(str(reference.truth)))
    return errors


def order_errors(content: Content) -> dict[str, Counter[str]]:
    """Return sign → number of lists of events in which its place is right, wrong or missing, or it is invented.

    The benchmark's signs come first, in its order, then words that are no sign of the benchmark.
    """
    tallies: dict[str, Counter[str]] = {}
    for outcome in content.outcomes:
        if content.kind_of(outcome.task) == "sequence" and outcome.detail:
            tallies.setdefault(outcome.detail, Counter())[outcome.kind] += 1
    titles = feature_titles()
    names = (*titles, *sorted(tallies.keys() - titles))
    return {titles.get(name, name): tallies[name] for name in names if name in tallies}


def timelines(content: Content) -> list[dict[str, Any]]:
    """Return one entry per video: its items with windows and answers; without file names and patients."""
    videos: dict[str, dict[str, Any]] = {}
    by_item: dict[str, list[ItemOutcome]] = {}
    for outcome in content.outcomes:
        by_item.setdefault(outcome.item, []).append(outcome)
    for task in content.tasks.values():
        for reference, prediction in zip(task.references, task.predictions, strict=True):
            video = videos.setdefault(reference.video_id, {"id": reference.video_id, "items": [], "end": 1.0})
            video["items"].append(_item(task, reference, asdict(prediction), by_item.get(reference.item, [])))
            # Without the data set the last window is all that is known of a video's length.
            video["end"] = max(video["end"], reference.window[1] if reference.window else 0.0)
    return list(videos.values())


def _item(
    task: ScoredTask, reference: Reference, prediction: Mapping[str, Any], item_outcomes: Sequence[ItemOutcome]
) -> dict[str, Any]:
    kinds = [outcome.kind for outcome in item_outcomes]
    details: dict[str, list[str]] = {}
    for outcome in item_outcomes:
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
        "detail": "; ".join(f"{kind}: {', '.join(names)}" for kind, names in details.items()),
        "wrong": not {*kinds} <= {HIT, REJECTED, UNTESTED},
        # Neither right nor wrong: the annotators could not tell.
        "open": {*kinds} == {UNTESTED},
        "window": reference.window,
        "requests": reference.requests,
    }
