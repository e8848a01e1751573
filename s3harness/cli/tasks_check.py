"""Results of the adversarial suite for the metrics of a profile, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from s3harness.report.plain_text import one_line
from s3harness.report.table import task_title

if TYPE_CHECKING:
    from s3harness.testing.suite import SuiteResult


def print_suite(profile: str, outcomes: Sequence[SuiteResult], wrong: Sequence[str] | None) -> None:
    """Print a line per metric with the promises it breaks, the pairs of reports ranked wrongly, and the total."""
    for one in outcomes:
        result = "keeps every promise" if not one.broken else f"breaks {', '.join(one.broken)}"
        # The paper's metrics are fixed, defects included.
        fails = " (MAY NOT BE PRIMARY)" if one.metric.primary and one.broken and profile != "paper" else ""
        click.echo(f"{_title(one)}: {result}{fails}{'' if one.is_known else ' (NEW DEFECT)'}")
        if one.beaten_by:
            click.echo(f"    as good as a reader who watched the video: {', '.join(sorted(one.beaten_by))}")
        for promise, text in (("readers win", "above a reader who watched"), ("monotone", "no gain from seeing more")):
            if one.broken.get(promise):
                click.echo(f"    {text}: {', '.join(sorted(set(one.broken[promise])))}")
        if one.known_defect.reason:
            click.echo(one_line(f"    {one.known_defect.reason}"))
    if wrong is not None:
        _print_pairs(profile, wrong)
    broken = [one for one in outcomes if one.broken]
    primary = sum(one.metric.primary for one in broken)
    new = _count_new(profile, outcomes, wrong)
    click.echo(
        f"{len(outcomes)} metrics of the profile {profile}: {len(outcomes) - len(broken)} keep every promise, "
        f"{len(broken)} break some, {primary} of them primary; new defects: {new}"
    )


def as_data(profile: str, outcomes: Sequence[SuiteResult], wrong: Sequence[str] | None) -> dict[str, Any]:
    """Return the results as JSON-able data."""
    return {
        "profile": profile,
        "metrics": [
            {
                "task": one.task,
                "metric": one.metric.label,
                "primary": one.metric.primary,
                "breaks": {promise: list(answerers) for promise, answerers in one.broken.items()},
                "reason": one.known_defect.reason,
                "known": one.is_known,
            }
            for one in outcomes
        ],
        "reports_ranked_wrong": None if wrong is None else list(wrong),
        "not_known": _count_new(profile, outcomes, wrong),
    }


def _print_pairs(profile: str, wrong: Sequence[str]) -> None:
    from s3harness.testing.known_defects import PAPER_SCENARIOS
    from s3harness.testing.scenarios import scenarios

    pairs = len(scenarios())
    click.echo(f"{pairs} pairs of reports: the Seizure-RQI ranks {pairs - len(wrong)} correctly")
    for name in wrong:
        # The paper's formula is fixed: its wrong rankings are listed with their reasons, and no new one may appear.
        reason = PAPER_SCENARIOS.get(name, "NEW DEFECT") if profile == "paper" else "NEW DEFECT"
        click.echo(f"    wrong: {name.replace('_', ' ')}: {reason}")


def _count_new(profile: str, outcomes: Sequence[SuiteResult], wrong: Sequence[str] | None) -> int:
    from s3harness.testing.suite import new_defects

    return len(new_defects(profile, outcomes, wrong or ()))


def _title(one: SuiteResult) -> str:
    return f"{task_title(one.task)}: {one.metric.label}{' (primary)' if one.metric.primary else ''}"
