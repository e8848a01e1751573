"""What the answers of a run took, task by task: tokens and seconds, as far as the engine told."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

from s3harness.report.table import task_title
from s3harness.run.journal import FILE as JOURNAL
from s3harness.run.journal import Entry, read_journal

UNKNOWN = "–"


def costs(run: Path) -> list[dict[str, str]]:
    """One row a task: requests, tokens read and written, seconds waited for answers in all, and for the median one.

    Requests of several tasks may have been under way at once, so that a run takes less time than its answers.
    """
    by_task: dict[str, dict[str, Entry]] = {}
    for entry in read_journal(run / JOURNAL):
        by_task.setdefault(entry.task, {})[entry.id] = entry
    return [_row(task, list(entries.values())) for task, entries in sorted(by_task.items())]


def _row(task: str, entries: list[Entry]) -> dict[str, str]:
    seconds = [entry.response.latency_s for entry in entries if entry.response.latency_s is not None]
    return {
        "task": task_title(task),
        "requests": f"{len(entries):,}",
        "tokens read": _sum(entry.response.prompt_tokens for entry in entries),
        "tokens written": _sum(entry.response.completion_tokens for entry in entries),
        "seconds": f"{sum(seconds):,.1f}" if seconds else UNKNOWN,
        "median": f"{statistics.median(seconds):.2f} s" if seconds else UNKNOWN,
    }


def _sum(counts: Iterable[int | None]) -> str:
    known = [count for count in counts if count is not None]
    return f"{sum(known):,}" if known else UNKNOWN
