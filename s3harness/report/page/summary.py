"""The one-screen summary of a report: skill by task, the best and the worst signs, and what has no readable answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from s3harness.analysis.readers import ReaderLine, published_readers
from s3harness.report.page.charts import forest_axis, forest_row
from s3harness.report.page.content import Content, heat_map
from s3harness.report.table import number, task_title
from s3harness.scoring.above_floor import is_above_floor
from s3harness.types import Score

EXTREMES = 3
"""Number of signs that are named as the best ones, and as the worst ones."""
LEAST_ITEMS = 2
"""Items of each class that a sign needs to be named: with a single one, chance alone makes the best and the worst."""


def summary(content: Content, readers: Sequence[ReaderLine]) -> dict[str, Any]:
    """Return what the page's summary shows; ``readers`` are people who were asked the same items."""
    primary = [score for score in content.scores if score.primary]
    by_task = {line.task: line for line in readers}
    best, worst = _extremes(content)
    kinds = dict.fromkeys(content.kind_of(score.task) for score in primary)
    return {
        "axis": forest_axis(),
        "rows": [_row(score, by_task.get(score.task)) for score in primary],
        "readers": [{"title": task_title(line.task), "text": line.sentence} for line in readers],
        "n_readers": max((len(line.scores) for line in readers), default=0),
        "notes": {task_title(s.task): s.interval_note for s in primary if s.interval is None and s.interval_note},
        "best": best,
        "worst": worst,
        "lost": _lost(content),
        "n_items": sum(score.n_items for score in primary),
        "untested": sum(counts["untested in truth"] for counts in content.outcome_counts.values()),
        "published": [line.sentence for kind in kinds for line in published_readers(kind)],
    }


def _row(score: Score, readers: ReaderLine | None) -> dict[str, Any]:
    interval = score.interval
    human = readers.mean if readers else None
    return {
        "task": task_title(score.task),
        "metric": score.metric,
        "forest": forest_row(score, human),
        "value": number(score.value, score.unit),
        "interval": f"{number(interval.low)}–{number(interval.high)}" if interval else "no interval",
        "above": is_above_floor(score),
        "floor": number(score.floor),
        "readers": number(human) if readers else "–",
        "ceiling": number(score.ceiling),
        "skill": number(score.skill),
        "answered": f"{round(score.coverage * score.n_items)}/{score.n_items}",
    }


def _extremes(content: Content) -> tuple[list[str], list[str]]:
    """Return the signs with the greatest and the least Youden's J, sensitivity + specificity − 1, in words."""
    rows = [row for row in heat_map(content) if min(row["present"], row["absent"]) >= LEAST_ITEMS]
    ordered = sorted(rows, key=lambda row: -(row["sensitivity"] + row["specificity"]))
    # Of few signs each is named once.
    n = min(EXTREMES, len(ordered) // 2)
    return [_sign(row) for row in ordered[:n]], [_sign(row) for row in reversed(ordered[len(ordered) - n :])]


def _sign(row: Mapping[str, Any]) -> str:
    judged = row["present"] + row["absent"]
    return (
        f"{row['sign']}: sensitivity {row['sensitivity']:.2f}, specificity {row['specificity']:.2f} "
        f"({row['present']} of {judged} present)"
    )


def _lost(content: Content) -> list[dict[str, Any]]:
    """Return the reasons for which items have no readable answer, the commonest first, with their tasks."""
    by_reason: dict[str, dict[str, int]] = {}
    for score in content.scores:
        if score.primary:
            for reason, n in score.lost.items():
                by_reason.setdefault(reason, {})[task_title(score.task)] = n
    rows = [
        {"reason": reason, "n": sum(tasks.values()), "tasks": ", ".join(f"{task} {n}" for task, n in tasks.items())}
        for reason, tasks in by_reason.items()
    ]
    return sorted(rows, key=lambda row: -int(row["n"]))
