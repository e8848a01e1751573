"""Tables of the released predictions scored again, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from s3harness.report.table import print_scores, task_title

if TYPE_CHECKING:
    from s3harness.paper.answers import UnmatchedRows
    from s3harness.paper.findings import ReleaseFinding
    from s3harness.paper.reproduce import PaperCheck, TableCount
    from s3harness.paper.strict import StrictResult

SHOWN_ROWS = 12
"""Row numbers listed for predictions that are not scored."""
NAMES_WIDTH, MODEL_WIDTH = 42, 18


def print_paper(
    checks: Sequence[PaperCheck],
    strangers: Sequence[str],
    annotations: Sequence[str] = (),
    unused: Sequence[str] = (),
    console: Console | None = None,
) -> None:
    """Print the numbers compared by table and model, every mismatch, and the total."""
    from s3harness.paper.reproduce import explained_lines, mismatch_lines

    console = console or Console()
    if not console.is_terminal:
        # A log has no width; rich would fold the columns of all models into 80 characters.
        console.width = max(console.width, NAMES_WIDTH + MODEL_WIDTH * len(checks))
    console.print(_paper_table(checks))
    # Names of models are too long for headings of thirteen columns.
    _notes(console, [f"[{number}] {check.model}" for number, check in enumerate(checks, start=1)])
    _notes(console, [f"{c.model}: no file of {', '.join(c.missing)}" for c in checks if c.missing])
    _notes(console, [f"{c.model}: {problem}" for c in checks for problem in (*c.unread, *c.problems)])
    _notes(
        console, [f"in the published tables, but without predictions here: {', '.join(strangers)}"] if strangers else []
    )
    _notes(console, [f"published tables without anything to compare with: {', '.join(unused)}"] if unused else [])
    print_annotations(annotations, console)
    _notes(console, explained_lines(checks))
    _notes(console, mismatch_lines(checks))
    console.print(paper_total(checks), style="bold", highlight=False, soft_wrap=True)


def paper_total(checks: Sequence[PaperCheck]) -> str:
    """Return the line with the numbers of cells compared and of cells that differ."""
    published, windows = (sum(len(c.published) for c in checks), sum(len(c.windows) for c in checks))
    wrong, differ = (sum(len(c.mismatches) for c in checks), sum(len(c.differences) for c in checks))
    unread, explained = sum(len(c.unread) for c in checks), sum(len(c.explained) for c in checks)
    of_other = f" ({explained} more come from other predictions than those released)" if explained else ""
    return (
        f"{published} published cells compared, {wrong} mismatches{of_other}; "
        f"{windows} cells of merged files recomputed from their windows, {differ} differ"
    ) + (f"; {unread} tables could not be read" if unread else "")


def print_strict(result: StrictResult, *, every: bool = False, console: Console | None = None) -> None:
    """Print the scores of one model, with the items missing from its files and the rows that match no item."""
    console = console or Console()
    console.print(f"\n{result.model}", style="bold")
    print_scores(result.scores, every=every, console=console)
    _notes(console, [f"missing: {lack}" for lack in result.missing])
    _notes(console, [unmatched_line(rows) for rows in result.unmatched])
    _notes(console, result.problems)


def print_findings(findings: Sequence[ReleaseFinding], console: Console | None = None) -> None:
    """Print the published conclusions that change, then those that stand."""
    console = console or Console()
    for title, changes in (("Published conclusions that change", True), ("Published conclusions that stand", False)):
        lines = [f"{task_title(f.task)}: {f.text}" for f in findings if f.changes is changes]
        if lines:
            console.print(f"\n{title}", style="bold")
            _notes(console, [f"- {line}" for line in lines])


def print_annotations(problems: Sequence[str], console: Console | None = None) -> None:
    """Print the problems of the annotations that all scores are based on."""
    _notes(console or Console(), [f"annotations: {problem}" for problem in problems])


def unmatched_line(rows: UnmatchedRows) -> str:
    """Return a line such as ``Task4_x.csv: 8 predictions of Sample videos, not scored (rows 3, 4, …)``."""
    numbers = ", ".join(map(str, rows.rows[:SHOWN_ROWS])) + (", …" if len(rows.rows) > SHOWN_ROWS else "")
    n = len(rows.rows)
    count, word = ("1 prediction", "row") if n == 1 else (f"{n} predictions", "rows")
    return f"{rows.file}: {count} {rows.reason}, not scored ({word} {numbers})"


def _paper_table(checks: Sequence[PaperCheck]) -> Table:
    """Return the table whose rows are the published tables and whose columns are the models, by number."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("table", no_wrap=True)
    for number in range(1, len(checks) + 1):
        # Escaped, since rich takes brackets for markup.
        table.add_column(f"\\[{number}]", justify="right", no_wrap=True)
    counts = [check.counts() for check in checks]
    # In the order of the paper, with tables that only some models have.
    for name in dict.fromkeys(name for count in counts for name in count):
        table.add_row(name, *(_cell(count.get(name)) for count in counts))
    return table


def _cell(count: TableCount | None) -> str:
    if count is None:
        return "–"
    notes = [f"{count.mismatches} wrong"] if count.mismatches else []
    notes += [f"{count.explained} explained"] if count.explained else []
    return f"{count.compared} ({', '.join(notes)})" if notes else str(count.compared)


def _notes(console: Console, lines: Sequence[str]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
