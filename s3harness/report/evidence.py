"""Table of the evidence-use profile, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.analysis.evidence import EvidenceUse
from s3harness.report.plain_text import print_rows
from s3harness.report.table import DISCLAIMER, task_title
from s3harness.types import Interval

# What a probe should do to an answer, as a verb of the answer.
EXPECTED = {
    "same": "stays",
    "flip": "flips",
    "absent": "is denied",
    "change": "changes",
    "open": "–",
    "unread": "(was not read)",
}


def print_evidence(rows: Sequence[EvidenceUse], titles: Sequence[str], sees_truth: bool) -> None:
    """Print the shares of changed answers by probe and task, and how to read them."""
    import click

    for title in titles:
        click.echo(title)
    click.echo()
    print_rows([_cells(row) for row in rows])
    click.echo(
        "\nChanged: share of the answers that could be read before and after. As expected: share of all read before."
    )
    click.echo("Intervals (95 %) resample patients. Lost: answers read at most once. No annotation is used.")
    if sees_truth:
        click.echo("These answers come from a yardstick that sees the truth, not from a model.")
    click.echo(DISCLAIMER)


def _cells(row: EvidenceUse) -> dict[str, str]:
    return {
        "probe": row.probe,
        "task": task_title(row.task),
        "answer": EXPECTED[row.direction],
        "changed": _percent(row.changed),
        "95 %": _interval(row.changed_interval),
        "as expected": _percent(row.as_expected),
        # The blank keeps this key from being that of the other interval.
        "95 % ": _interval(row.expected_interval),
        "answers": str(row.answers),
        "items": str(row.items),
        "patients": str(row.patients),
        "lost": str(row.lost),
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _interval(interval: Interval | None) -> str:
    return f"{100 * interval.low:.0f}–{100 * interval.high:.0f}" if interval else "–"
