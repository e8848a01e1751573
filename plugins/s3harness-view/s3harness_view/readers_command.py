"""``s3harness readers``: the human line beside the models, from the runs of several readers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

import s3harness


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def readers(runs: tuple[Path, ...], as_json: bool) -> None:
    """Summarise the exams of several readers: mean score, agreement (κ, AC1), consensus, and minutes per video.

    RUNS are run directories of s3harness read, two or more; only the items that all of them were asked count.
    """
    from s3harness_view.panel import panel
    from s3harness_view.read_command import minutes_per_video

    if len({run.resolve() for run in runs}) < 2:
        raise s3harness.UsageError("the runs of two readers or more are needed")
    tasks = panel({run.name: s3harness.read_run(run) for run in runs})
    minutes = {run.name: minutes_per_video(run) for run in runs}
    if as_json:
        click.echo(json.dumps({"tasks": [asdict(task) for task in tasks], "minutes_per_video": minutes}, indent=1))
        return
    for task in tasks:
        click.echo(f"{task.task}: {task.metric} on {task.items} shared {'item' if task.items == 1 else 'items'}")
        click.echo(f"  readers, n = {len(runs)}: {_number(task.mean)} ({_by_reader(task.scores)})")
        if task.agreement is not None:
            agreement = f"agreement {_number(task.agreement)}, κ {_number(task.kappa)}, AC1 {_number(task.ac1)}"
            click.echo(f"  consensus: {_number(task.consensus)}; {agreement}")
    click.echo(f"minutes per video: {_by_reader(minutes)}")
    click.echo("Research use, not a medical device.")


def _by_reader(values: object) -> str:
    assert isinstance(values, dict)
    return ", ".join(f"{name} {_number(value)}" for name, value in values.items())


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
