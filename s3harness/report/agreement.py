"""Agreement of annotators, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from s3harness.report.table import DISCLAIMER, number, task_title

if TYPE_CHECKING:
    from s3harness.analysis.agreement import AnnotatorAgreement, Estimate
    from s3harness.analysis.ceiling import HumanCeiling
    from s3harness.types import Interval


_SHOWN_VIDEOS = 5
_LONGEST_WORD = 14
"""Width of the longest word in a sign's name, "responsiveness", which is not broken."""
_SHORT_NAMES = 20
"""Characters of the annotators' names together that leave this width on a terminal of 80 columns."""
_ROOMY = 110
"""Columns of a terminal in which an estimate and its interval fit on one line."""


def print_agreement(
    agreement: AnnotatorAgreement, ceilings: Sequence[HumanCeiling], console: Console | None = None
) -> None:
    """Print the agreement by question, over all features and about times, and the human ceilings."""
    console = console or Console()
    left_out = "; ".join(_missing(name, videos) for name, videos in agreement.left_out.items() if videos)
    common = f"{agreement.n_videos} videos of {agreement.n_patients} patients in common"
    console.print(f"{', '.join(agreement.annotators)}: {common}")
    if left_out:
        console.print(f"Not compared, since another annotator lacks the video: {left_out}", soft_wrap=True)
    for table in (
        _questions(agreement, console.width >= _ROOMY),
        _overall(agreement),
        _times(agreement),
        _ceilings(ceilings),
    ):
        console.print()
        console.print(table)
    for line in (
        _about_intervals(agreement, ceilings),
        "Cohen's κ: mean over the pairs of annotators. Untested and missing answers are not counted.",
        "Human: one annotator's work scored against another's as the truth; mean of both directions.",
        DISCLAIMER,
    ):
        console.print(line, style="dim", soft_wrap=True, highlight=False)


def _about_intervals(agreement: AnnotatorAgreement, ceilings: Sequence[HumanCeiling]) -> str:
    intervals = [q.cohen.interval for q in agreement.questions]
    intervals += [estimate.interval for estimate in agreement.overall.values()]
    intervals += [ceiling.interval for ceiling in ceilings]
    if any(intervals):
        return "Brackets: 95 % intervals over patients."
    # The width of an interval over two or three patients is an accident.
    return f"No intervals: too few patients ({agreement.n_patients})."


def _missing(annotator: str, videos: Sequence[str]) -> str:
    more = f" and {len(videos) - _SHOWN_VIDEOS} more" if len(videos) > _SHOWN_VIDEOS else ""
    return f"{len(videos)} of {annotator} ({', '.join(videos[:_SHOWN_VIDEOS])}{more})"


def _questions(agreement: AnnotatorAgreement, is_roomy: bool) -> Table:
    table = _table("question", "videos", "agree", "Cohen κ", "Fleiss κ", "α", *agreement.annotators)
    for q in agreement.questions:
        # An annotator who decided nothing has no share.
        shares = [number(q.prevalence.get(name)) for name in agreement.annotators]
        estimates = [_estimate(q.cohen), number(q.fleiss.value), number(q.krippendorff.value)]
        table.add_row(q.question.replace("_", " "), str(q.n), number(q.agreement), *estimates, *shares)
    if sum(map(len, agreement.annotators)) <= _SHORT_NAMES:
        table.columns[0].min_width = _LONGEST_WORD
    if not is_roomy and any(q.cohen.interval for q in agreement.questions):
        # On a narrow terminal the interval stands below its estimate.
        table.columns[3].width = len("(0.000–1.000)")
    table.caption = "Below each annotator: share of yes, left or ES among their decided answers."
    return table


def _overall(agreement: AnnotatorAgreement) -> Table:
    table = _table("over all features", "")
    for name, estimate in agreement.overall.items():
        table.add_row(name, _estimate(estimate))
    for c in agreement.prevalence:
        title = f"correlation of prevalences, {c.diagnosis} ({c.n_videos} videos, {c.n_features} features)"
        table.add_row(title, number(c.r))
    return table


def _times(agreement: AnnotatorAgreement) -> Table:
    # Every moment has the same limits, unless it has no pairs and so none at all.
    limits = list(next((t.within for t in agreement.times if t.within), {}))
    table = _table("moment", "pairs", "median apart", *(f"within {limit}" for limit in limits))
    for t in agreement.times:
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
