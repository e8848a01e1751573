"""Tables on a terminal, or in the log of one, of 80 columns: nothing that is named is cut off."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from s3harness.analysis.compare import Comparison, Report
from s3harness.cli import main
from s3harness.report.comparison import print_comparison
from s3harness.report.table import print_scores, task_title
from s3harness.types import Interval, Score

TITLES = {
    "s3/task4_temporal_boundaries": "4 temporal boundaries",
    "mine/task_sides": "sides",
    "s3/task10_more": "10 more",
    "mine/left": "left",
}
TASKS = tuple(TITLES)
METRIC = "laterality_balanced_accuracy_of_both"
LONG = "qwen3-vl-8b [strict] of the second of May"


def _score(task: str) -> Score:
    return Score(
        task=task,
        metric=METRIC,
        value=12.5,
        interval=Interval(10.1, 14.2),
        floor=0.2,
        floor_name="always_left",
        ceiling=1.0,
        n_items=10,
        n_patients=5,
        coverage=1.0,
        lost={},
        primary=True,
    )


def _comparison(task: str, first: str, second: str) -> Comparison:
    return Comparison(
        task=task,
        metric=METRIC,
        first=first,
        second=second,
        first_value=12.5,
        second_value=0.2,
        difference=-12.3,
        low=-14.1,
        high=-10.2,
        p=0.01,
        p_adjusted=0.02,
        least_p=0.001,
        detectable=10.5,
        n_items=10,
        n_patients=5,
        higher_is_better=True,
    )


def _printed(print_it: Callable[[Console], None]) -> str:
    page = io.StringIO()
    print_it(Console(file=page, width=80))
    return page.getvalue()


def test_a_long_name_of_a_metric_is_shown_whole() -> None:
    text = _printed(lambda console: print_scores([_score(task) for task in TASKS], console=console))
    assert "…" not in text
    assert "(4 always_left, sides always_left, 10 always_left, left always_left)" in text


@pytest.mark.parametrize(("task", "title"), TITLES.items())
def test_a_task_is_called_by_what_is_its_own_of_its_name(task: str, title: str) -> None:
    assert task_title(task) == title


@pytest.mark.parametrize(
    ("notes", "lines"),
    [
        (["all items come from one patient"] * 2, ["No interval: all items come from one patient."]),
        (
            ["too few patients (9; NES of 3)", ""],
            ["4 temporal boundaries: no interval: too few patients (9; NES of 3)."],
        ),
    ],
)
def test_a_score_without_an_interval_says_why(notes: list[str], lines: list[str]) -> None:
    whole = [_score(task) for task in TASKS[: len(notes)]]
    scores = [
        replace(s, interval=None if note else s.interval, interval_note=note)
        for s, note in zip(whole, notes, strict=True)
    ]
    text = _printed(lambda console: print_scores(scores, console=console))
    assert [line for line in text.splitlines() if "o interval" in line] == lines


def test_two_runs_are_named_once_and_whole() -> None:
    compared = tuple(_comparison(task, "guesses", LONG) for task in TASKS)
    text = _printed(lambda console: print_comparison(Report(compared, (), {}), console))
    assert text.startswith(f"guesses → {LONG}\n")
    assert text.partition("Verdict")[0].count("guesses") == 1
    assert "…" not in text


def test_signs_and_intervals_of_an_agreement_are_shown_whole(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "agreement", str(dataset), str(dataset)])
    text = capsys.readouterr().out
    assert "…" not in text
    assert "movement" in text
    assert "(1.000–1.000)" not in text, "three patients carry no interval"
    assert "No intervals: too few patients (3)." in text
    assert re.search(r"annotator 1 +annotator 2 *\n", text), "nor is a column"


def test_of_more_runs_each_row_names_two() -> None:
    pairs = (("a", "b"), ("b", "[c]"))
    compared = tuple(_comparison(TASKS[0], *pair) for pair in pairs)
    text = _printed(lambda console: print_comparison(Report(compared, (), {}), console))
    assert "a → b" in text
    assert "b → [c]" in text
    assert "…" not in text
