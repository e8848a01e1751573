"""Table of scores, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from s3harness.report.plain_text import one_line
from s3harness.scoring.above_floor import floor_test_line, is_above_floor
from s3harness.types import Score

ABOVE = " *"
"""Mark of a score that is significantly above its floor."""
DISCLAIMER = "Research use, not a medical device."


def print_scores(
    scores: Sequence[Score],
    *,
    every: bool = False,
    sees_truth: bool = False,
    changes: str = "",
    readers: Mapping[str, tuple[str, str]] | None = None,
    console: Console | None = None,
) -> None:
    """Print the primary score of each task, or ``every`` score, beside interval, floor, ceiling and coverage.

    ``changes`` is the sentence about clips or prompts that differ from the benchmark's. ``readers`` maps a task to the
    mean score of human readers, which gets a column, and to the sentence about them.
    """
    console = console or Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("task and metric", overflow="fold")
    for name in ("score", "95 % interval", "floor", *(["readers"] if readers else []), "ceiling", "skill", "answered"):
        table.add_column(name, justify="right", no_wrap=True)
    previous = ""
    for score in scores:
        if every or score.primary:
            # Names of metrics and floors come from plugins, and may hold rich's markup.
            cells = [escape(one_line(cell)) for cell in _cells(score, score.task != previous)]
            if readers:
                # Readers are scored by the primary metric alone.
                cells.insert(4, readers.get(score.task, ("–", ""))[0] if score.primary else "")
            table.add_row(*cells, style="bold" if every and score.primary else "")
            previous = score.task
    console.print(table)
    of_readers = [f"{task_title(task)}: {sentence}." for task, (_, sentence) in (readers or {}).items()]
    for line in filter(None, (changes, *of_readers, *_footnotes(scores, sees_truth))):
        console.print(one_line(line), style="dim", soft_wrap=True, highlight=False, markup=False)


def _cells(score: Score, first: bool) -> list[str]:
    interval = score.interval
    return [
        f"{task_title(score.task)}: {score.metric}" if first else f"  {score.metric}",
        number(score.value, score.unit) + (ABOVE if is_above_floor(score) else ""),
        f"{number(interval.low)}–{number(interval.high)}" if interval else "–",
        number(score.floor),
        number(score.ceiling),
        number(score.skill),
        f"{round(score.coverage * score.n_items)}/{score.n_items}",
    ]


def _footnotes(scores: Sequence[Score], sees_truth: bool) -> list[str]:
    named = ", ".join(
        f"{task_title(s.task).partition(' ')[0]} {s.floor_name}" for s in scores if s.floor_name and s.primary
    )
    lost = {s.task: s.lost for s in scores if s.primary and s.lost}
    lines = [f"Floor: score of the best trivial answerer on the same items ({named})." if named else ""]
    lines += [floor_test_line(ABOVE, scores), _reader_line(scores)]
    # Of the primary metrics alone, by which models are ranked.
    lines += [f"{task_title(s.task)}, {s.metric}: {s.warning}." for s in scores if s.primary and s.warning]
    lines += [
        f"{task_title(t)}: {', '.join(f'{n} {why}' for why, n in reasons.items())}" for t, reasons in lost.items()
    ]
    lines += _about_intervals([score for score in scores if score.primary])
    lines.append("Skill: 0 at the floor, 1 at the ceiling.")
    if any(s.value is None and s.n_items for s in scores if s.primary):
        lines.append("–: undefined on these items, for example because the truth has only one class.")
    if sees_truth:
        lines.append("These answers come from a yardstick that sees the truth, not from a model.")
    return [line for line in (*lines, DISCLAIMER) if line]


def _about_intervals(scores: Sequence[Score]) -> list[str]:
    """Return the lines on the unit of the intervals, and on the reasons for missing ones."""
    patients = max((score.n_patients for score in scores), default=0)
    lines = (
        [f"Intervals: 95 %, over {patients} {'patient' if patients == 1 else 'patients'}."]
        if any(score.interval for score in scores)
        else []
    )
    without = [score for score in scores if score.interval is None and score.interval_note]
    # One sentence if all scores lack an interval for the same reason.
    notes = {score.interval_note for score in without}
    if len(notes) == 1 and len(without) == len(scores):
        return [*lines, f"No interval: {notes.pop()}."]
    return lines + [f"{task_title(score.task)}: no interval: {score.interval_note}." for score in without]


def _reader_line(scores: Sequence[Score]) -> str:
    """Return the line on the scores of the simulated readers, by task."""
    readers: dict[str, list[str]] = {}
    for score in scores:
        if score.primary and score.informed is not None:
            value = f"{task_title(score.task).partition(' ')[0]} {number(score.informed, score.unit)}"
            readers.setdefault(score.informed_name.removeprefix("reader: "), []).append(value)
    scores_by_reader = "; ".join(f"{name}: {', '.join(values)}" for name, values in readers.items())
    return f"Simulated readers score ({scores_by_reader})." if scores_by_reader else ""


def task_title(task: str) -> str:
    """Return the title of a task: ``4 temporal boundaries`` of ``s3/task4_temporal_boundaries``."""
    return task.rpartition("/")[2].removeprefix("task").replace("_", " ").strip()


def number(value: float | None, unit: str = "") -> str:
    """Return a number as tables show it; "–" for ``None``."""
    if value is None:
        return "–"
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if unit or abs(value) > 1 else f"{value:.3f}"
    return f"{text} s" if unit == "s" else text
