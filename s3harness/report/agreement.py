"""The agreement of annotators, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from s3harness.report.table import DISCLAIMER, number, task_title

if TYPE_CHECKING:
    from s3harness.analysis.agreement import Agreement, Estimate
    from s3harness.analysis.ceiling import HumanCeiling
    from s3harness.types import Interval


_SHOWN_VIDEOS = 5
_LONGEST_WORD = 14
"""Columns of the question, so that no word of a sign's name is broken: "responsiveness"."""
_SHORT_NAMES = 20
"""Characters of the annotators' names together that leave room for it on a terminal of 80 columns."""
_ROOMY = 110
"""Columns of a terminal in which an estimate and its interval stand on one line."""


def print_agreement(found: Agreement, ceilings: Sequence[HumanCeiling], console: Console | None = None) -> None:
    """Print the agreement by question, over all features and about times, and the human ceilings."""
    console = console or Console()
    left_out = "; ".join(_missing(name, videos) for name, videos in found.left_out.items() if videos)
    console.print(f"{', '.join(found.annotators)}: {found.n_videos} videos of {found.n_patients} patients in common")
    if left_out:
        console.print(f"Not compared, because another annotator has no such video: {left_out}", soft_wrap=True)
    for table in (_questions(found, console.width >= _ROOMY), _overall(found), _times(found), _ceilings(ceilings)):
        console.print()
        console.print(table)
    for line in (
        _about_intervals(found, ceilings),
        "Cohen's κ: mean over the pairs of annotators. Answers that are untested or missing are not counted.",
        "Human: one annotator's work scored as an answer, against another's; mean of both directions.",
        DISCLAIMER,
    ):
        console.print(line, style="dim", soft_wrap=True, highlight=False)


def _about_intervals(found: Agreement, ceilings: Sequence[HumanCeiling]) -> str:
    intervals = [q.cohen.interval for q in found.questions]
    intervals += [estimate.interval for estimate in found.overall.values()]
    intervals += [ceiling.interval for ceiling in ceilings]
    if any(intervals):
        return "Brackets: 95 % intervals between patients."
    return f"No intervals: too few patients ({found.n_patients})."


def _missing(annotator: str, videos: Sequence[str]) -> str:
    more = f" and {len(videos) - _SHOWN_VIDEOS} more" if len(videos) > _SHOWN_VIDEOS else ""
    return f"{len(videos)} of {annotator} ({', '.join(videos[:_SHOWN_VIDEOS])}{more})"


def _questions(found: Agreement, is_roomy: bool) -> Table:
    table = _table("question", "videos", "agree", "Cohen κ", "Fleiss κ", "α", *found.annotators)
    for q in found.questions:
        shares = [number(q.prevalence.get(name)) for name in found.annotators]
        estimates = [_estimate(q.cohen), number(q.fleiss.value), number(q.krippendorff.value)]
        table.add_row(q.question.replace("_", " "), str(q.n), number(q.agreement), *estimates, *shares)
    if sum(map(len, found.annotators)) <= _SHORT_NAMES:
        table.columns[0].min_width = _LONGEST_WORD
    if not is_roomy and any(q.cohen.interval for q in found.questions):
        table.columns[3].width = len("(0.000–1.000)")
    table.caption = "Under each annotator: the share of yes, left or ES among what they decided."
    return table


def _overall(found: Agreement) -> Table:
    table = _table("over all features", "")
    for name, estimate in found.overall.items():
        table.add_row(name, _estimate(estimate))
    for c in found.prevalence:
        what = f"correlation of prevalences, {c.diagnosis} ({c.n_videos} videos, {c.n_features} features)"
        table.add_row(what, number(c.r))
    return table


def _times(found: Agreement) -> Table:
    limits = list(next((t.within for t in found.times if t.within), {}))
    table = _table("moment", "pairs", "median apart", *(f"within {limit}" for limit in limits))
    for t in found.times:
        table.add_row(t.moment, str(t.n), number(t.median_s, "s"), *(number(t.within.get(limit)) for limit in limits))
    return table


def _ceilings(ceilings: Sequence[HumanCeiling]) -> Table:
    table = _table("task and metric", "human", "items", "in both")
    for c in ceilings:
        estimate = f"{number(c.value, c.unit)}{_interval(c.interval)}"
        table.add_row(f"{task_title(c.task)}: {c.metric}", estimate, f"{c.n_items:g}", number(c.shared))
    return table


def _estimate(estimate: Estimate) -> str:
    return f"{number(estimate.value)}{_interval(estimate.interval)}"


def _interval(interval: Interval | None) -> str:
    return f" ({number(interval.low)}–{number(interval.high)})" if interval else ""


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", caption_justify="left")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", overflow="fold")
    return table
