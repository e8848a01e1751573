"""Scores of each sign by itself, of runs of the same questions: ``python sign_scores.py RUN [RUN …]``.

The truth is that of the first run. So an answer to a clip whose sound was taken away is scored by what was to be heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from s3harness.report.plain_text import print_rows
from s3harness.scoring.score_run import ScoredTask, read_run
from s3harness.scoring.score_task import score_task
from s3harness.types import Score

TASK = "s3/task1_features"


@click.command()
@click.argument("runs", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
def main(runs: Sequence[Path]) -> None:
    """Print the primary metric of each sign in each run, with its interval over patients and its floor."""
    first = read_run(runs[0])[TASK]
    signs = sorted({reference.subject for reference in first.references})
    rows = []
    for run in runs:
        answered = read_run(run)[TASK]
        for sign in signs:
            score = _score(first, answered, sign)
            interval = score.interval
            rows.append(
                {
                    "run": run.name,
                    "sign": sign,
                    score.metric: _number(score.value),
                    "95 %": f"{_number(interval.low)}–{_number(interval.high)}" if interval else score.interval_note,
                    "floor": _number(score.floor),
                    "items": score.n_items,
                    "patients": score.n_patients,
                }
            )
    print_rows(rows)


def _score(plain: ScoredTask, answered: ScoredTask, sign: str) -> Score:
    predictions = {
        (reference.item, reference.subject): prediction
        for reference, prediction in zip(answered.references, answered.predictions, strict=True)
    }
    references = [reference for reference in plain.references if reference.subject == sign]
    scores = score_task(
        plain.spec, references, [predictions[reference.item, reference.subject] for reference in references]
    )
    return next(score for score in scores if score.primary)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
