"""Comparisons of systems, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from s3harness.report.plain_text import one_line
from s3harness.report.table import DISCLAIMER, number, task_title

if TYPE_CHECKING:
    from s3harness.analysis.compare import Comparison, Report


def print_comparison(report: Report, console: Console | None = None) -> None:
    """Print the comparisons by task, the features that differ, and ranks where there are more than two systems."""
    console = console or Console()
    pairs = {f"{c.first} → {c.second}" for c in report.tasks}
    # Two systems are named once above the table, where their names have room.
    if len(pairs) == 1:
        console.print(*pairs, style="bold", highlight=False, markup=False, soft_wrap=True)
    console.print(_table(report.tasks, "p (Holm)", with_runs=len(pairs) > 1))
    # Of about twenty signs only those that differ: the page lists all.
    differing = [c for c in report.features if c.is_significant]
    if differing:
        console.print("\nFeatures that differ", style="bold")
        console.print(_table(differing, "p (BH)", with_runs=len(pairs) > 1))
    # Ranks of two systems say no more than their difference.
    if any(len(ranks) > 2 for ranks in report.ranks.values()):
        console.print(_ranks(report))
    for line in comparison_notes(report):
        console.print(one_line(line), style="dim", soft_wrap=True, highlight=False, markup=False)


def comparison_notes(report: Report) -> list[str]:
    """Return the sentences about a comparison: verdicts, remarks on intervals, and how to read its columns."""
    pairs = list(dict.fromkeys((c.first, c.second) for c in report.tasks))
    several = len(pairs) > 1
    order = "the system after the arrow minus the one before it" if several else "{1} minus {0}".format(*pairs[0])
    tests = f"{_counted(len(report.tasks), 'test')} of tasks (Holm)"
    if report.features:
        tests += f" and all {len(report.features):,} of features (Benjamini and Hochberg)"
    return [
        *_verdicts(report.tasks, several=several),
        *report.notes,
        *_notes_on_intervals(report.tasks, several=several),
        f"Differences are {order}, each with its own 95 % interval; p-values come from permuting the systems' answers "
        f"patient by patient, corrected over all {tests}.",
        *_least_p(report.tasks),
        "Detectable: smallest true difference that these items would show with power 0.8, after the correction.",
        DISCLAIMER,
    ]


def _verdicts(comparisons: Sequence[Comparison], *, several: bool) -> Iterator[str]:
    """Yield one sentence if all comparisons have the same verdict, else one each."""
    verdicts = {c.verdict for c in comparisons}
    if len(verdicts) == 1 and len(comparisons) > 1:
        # Seven equal sentences would hide the rest of the notes.
        yield f"Verdict in all {_counted(len(comparisons), 'comparison')}: {verdicts.pop()}."
        return
    for c in comparisons:
        yield f"Verdict on {_title(c, several=several)}: {c.verdict}."


def _notes_on_intervals(comparisons: Sequence[Comparison], *, several: bool) -> Iterator[str]:
    """Yield the reasons for missing intervals, and for intervals that seem to contradict the test."""
    for c in comparisons:
        if c.note:
            yield f"{_title(c, several=several)}: {f'no interval: {c.note}' if c.low is None else c.note}."


def _least_p(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield the smallest corrected p-value that the number of patients allows."""
    least = [c.least_p for c in comparisons if c.least_p is not None]
    if not least:
        return
    low, high = p_text(min(least)), p_text(max(least))
    values = low if low == high else f"{low} to {high}, by task"
    yield f"Least p that is possible with these patients after the correction: {values}."
    if any(p >= 0.05 for p in least):
        yield "Where the least p is 0.05 or more, no difference can be significant, and none is detectable (–)."


def p_text(p: float | None) -> str:
    """Return a p-value with three digits."""
    return "<0.001" if p is not None and p < 0.001 else number(p)


def _title(c: Comparison, *, several: bool) -> str:
    title = f"{task_title(c.task)}: {c.metric}"
    return f"{title} ({c.first} → {c.second})" if several else title


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _table(comparisons: Sequence[Comparison], p_name: str, *, with_runs: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("task and metric", overflow="fold")
    if with_runs:
        table.add_column("runs", overflow="fold")
    for name in ("scores", "difference", p_name, "detectable"):
        table.add_column(name, justify="right", no_wrap=True)
    for c in comparisons:
        interval = f" ({number(c.low)}–{number(c.high)})" if c.low is not None else ""
        table.add_row(
            f"{task_title(c.task)}: {c.metric}",
            # Names of runs may hold brackets, which rich takes for markup.
            *([escape(f"{c.first} → {c.second}")] if with_runs else []),
            f"{number(c.first_value)} → {number(c.second_value)}",
            f"{number(c.difference)}{interval}",
            p_text(c.p_adjusted),
            number(c.detectable),
        )
    return table


def _ranks(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title="\nRanks, 1 is best", title_justify="left")
    table.add_column("task")
    for name in next(iter(report.ranks.values())):
        table.add_column(name, justify="right", overflow="fold")
    for task, ranks in report.ranks.items():
        table.add_row(task_title(task), *(f"{r.rank:g} ({r.low:g}–{r.high:g})" for r in ranks.values()))
    return table
