"""``s3harness demo``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

VIDEOS = 20
SEED = 0
SECONDS = 30.0
RESOLUTION = (480, 270)
FPS = 20


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("demo-data"),
    show_default=True,
    help="The data set to make or use.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo-run"), show_default=True, help="The run directory."
)
def demo(data: Path, out: Path) -> None:
    """Make synthetic videos, ask the kinematics baseline all seven tasks about them, and show its scores.

    Then its report and a leaderboard of one, as pages to open. Everything is local: the videos are rendered once,
    decoded once, and a second call answers nothing twice.
    """
    from s3harness.cli.run import execute_visibly, show_outcome
    from s3harness.evaluation.prepare import prepare
    from s3harness.evaluation.settings import RunSettings

    if not (data / "dataset.json").exists():
        _render(data)
    prepared = prepare(RunSettings(backend="kinematics", data=data, out=out, resume=True))
    outcome = execute_visibly(prepared)
    show_outcome(prepared, outcome, as_json=False)
    _write_pages(data, out)
    sys.exit(1 if outcome.failed else 0)


def _render(data: Path) -> None:
    from s3harness.report.progress import shown_count
    from s3harness.synth import synthesize

    click.echo(f"rendering {VIDEOS} synthetic videos into {data}", err=True)
    with shown_count("videos") as progress:
        synthesize(
            data,
            videos=VIDEOS,
            seed=SEED,
            resolution=RESOLUTION,
            fps=FPS,
            duration_s=SECONDS,
            progress=progress,
            workers=2,
        )


def _write_pages(data: Path, out: Path) -> None:
    """The report beside the run; the submission and the leaderboard in folders beside it."""
    from s3harness.leaderboard.collect import collect
    from s3harness.leaderboard.entries import published, published_directory
    from s3harness.leaderboard.pack import About, pack
    from s3harness.leaderboard.site import build_site
    from s3harness.report.page import write_report

    submissions = out.with_name(f"{out.name}-submissions")
    shutil.rmtree(submissions / "kinematics", ignore_errors=True)
    pack(out, submissions / "kinematics", About("demo"), data)
    collected = collect(submissions, data, reviewed=["kinematics"])
    for name, reason in collected.left_out.items():
        click.echo(f"not on the leaderboard: {name}: {reason}", err=True)
    site = build_site(collected.ranked, published(published_directory()), out.with_name(f"{out.name}-site"))
    click.echo(f"report: {write_report(out, data=data)}")
    click.echo(f"leaderboard: {site}")
