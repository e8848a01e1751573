"""What the answers of a run took, task by task: tokens and seconds, as far as the engine told."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from s3harness.report.table import task_title
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import JournalEntry, read_journal

UNKNOWN = "–"
ALL = "all tasks"


def costs(run: Path) -> list[dict[str, str]]:
    """One row a task, and one of all: requests, tokens read and written, and the seconds that answers took.

    Seconds are those waited for all answers, for the median one and for the one that 95 % do not exceed; tokens a
    second are those written by one request while it is waited for. Requests of several tasks may have been under way at
    once, so that a run takes less time than its answers.
    """
    by_task: dict[str, dict[str, JournalEntry]] = {}
    for entry in read_journal(run / JOURNAL):
        by_task.setdefault(entry.task, {})[entry.id] = entry
    rows = [_row(task_title(task), list(entries.values())) for task, entries in sorted(by_task.items())]
    whole = [entry for entries in by_task.values() for entry in entries.values()]
    return [*rows, _row(ALL, whole)] if len(rows) > 1 else rows


def latency_line(run: Path, seconds: float | None) -> str:
    """The cost of a run in a line: median and 95th percentile of the latency, tokens a second, and its wall time.

    ``seconds`` is how long the run took, where that is known. Empty where nothing was measured.
    """
    last = {entry.id: entry for entry in read_journal(run / JOURNAL)}
    row = _row("", list(last.values()))
    if row["median"] == UNKNOWN:
        return ""
    parts = [f"median {row['median']}", f"95 % within {row['p95']}"]
    parts += [f"{row['tokens/s']} tokens/s each"] if row["tokens/s"] != UNKNOWN else []
    parts += [f"{duration(seconds)} in all"] if seconds else []
    return f"Time per answer: {', '.join(parts)}."


def duration(seconds: float) -> str:
    """Seconds as people say them: 42 s, 12 min, 3.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _row(title: str, entries: Sequence[JournalEntry]) -> dict[str, str]:
    seconds = sorted(entry.response.latency_s for entry in entries if entry.response.latency_s is not None)
    timed = [entry.response for entry in entries if entry.response.latency_s is not None]
    written = sum(response.completion_tokens or 0 for response in timed)
    return {
        "task": title,
        "requests": f"{len(entries):,}",
        "tokens read": _sum(entry.response.prompt_tokens for entry in entries),
        "tokens written": _sum(entry.response.completion_tokens for entry in entries),
        "seconds": f"{sum(seconds):,.1f}" if seconds else UNKNOWN,
        "median": f"{statistics.median(seconds):.2f} s" if seconds else UNKNOWN,
        "p95": f"{_percentile(seconds, 0.95):.2f} s" if seconds else UNKNOWN,
        "tokens/s": f"{written / sum(seconds):,.0f}" if written and sum(seconds) > 0 else UNKNOWN,
    }


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def _sum(counts: Iterable[int | None]) -> str:
    known = [count for count in counts if count is not None]
    return f"{sum(known):,}" if known else UNKNOWN
