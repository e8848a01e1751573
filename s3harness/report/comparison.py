"""Comparisons of runs, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from s3harness.report.table import DISCLAIMER, number, task_title

if TYPE_CHECKING:
    from s3harness.analysis.compare import Comparison, Report


def print_comparison(report: Report, console: Console | None = None) -> None:
    """Print the comparisons by task, the features that differ, and ranks where there are more than two runs."""
    console = console or Console()
    pairs = {f"{c.first} → {c.second}" for c in report.tasks}
    if len(pairs) == 1:
        console.print(*pairs, style="bold", highlight=False, markup=False, soft_wrap=True)
    console.print(_table(report.tasks, "p (Holm)", with_runs=len(pairs) > 1))
    told = [c for c in report.features if c.p_adjusted is not None and c.p_adjusted < 0.05]
    if told:
        console.print("\nFeatures that differ", style="bold")
        console.print(_table(told, "p (BH)", with_runs=len(pairs) > 1))
    if any(len(ranks) > 2 for ranks in report.ranks.values()):
        console.print(_ranks(report))
    lines = (
        "Differences are later minus earlier, with 95 % intervals that resample patients; p by exchanging the answers "
        "patient by patient.",
        "Detectable: the smallest difference these items could show with power 0.8.",
        DISCLAIMER,
    )
    for line in lines:
        console.print(line, style="dim", soft_wrap=True, highlight=False)


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
            *([escape(f"{c.first} → {c.second}")] if with_runs else []),
            f"{number(c.first_value)} → {number(c.second_value)}",
            f"{number(c.difference)}{interval}",
            number(c.p_adjusted),
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
