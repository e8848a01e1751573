"""``s3harness demo``: synthetic videos, a run of all seven tasks, its report and a leaderboard of one entry."""

from __future__ import annotations

import io
import shutil
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path

import click

from s3harness import UsageError

BACKEND = "kinematics"
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
    help="Data set directory, made if it does not exist.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo-run"), show_default=True, help="Run directory."
)
@click.pass_context
def demo(context: click.Context, data: Path, out: Path) -> None:
    """Render synthetic videos, run the kinematics baseline on all seven tasks, and show its scores.

    It also writes the run's report and a leaderboard with this one entry, as HTML pages. Everything is local. A second
    call renders nothing and answers nothing again.
    """
    # Before anything is rendered: a minute of work is in vain without the backend that answers.
    if find_spec("s3harness_kinematics") is None:
        raise UsageError("the demo needs the kinematics baseline: pip install 's3harness[demo]'")
    if not (data / "dataset.json").exists():
        _render(data)
    code = _call(context, "run", "--backend", BACKEND, "--data", data, "--out", out, "--resume")
    _write_pages(context, data, out)
    sys.exit(code)


def _render(data: Path) -> None:
    from s3harness import progress_bar
    from s3harness_synth.dataset import synthesize

    click.echo(f"rendering {VIDEOS} synthetic videos into {data}", err=True)
    with progress_bar("videos") as progress:
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


def _write_pages(context: click.Context, data: Path, out: Path) -> None:
    """Write the report beside the run; the submission and the leaderboard in folders beside it."""
    submissions = out.with_name(f"{out.name}-submissions")
    site = out.with_name(f"{out.name}-site")
    submission = submissions / BACKEND
    shutil.rmtree(submission, ignore_errors=True)  # a submission is never packed over another one
    _call_quietly(context, "submit", "pack", out, "--out", submission, "--submitter", "demo", "--data", data)
    build = ("--submissions", submissions, "--data", data, "--reviewed", BACKEND, "--out", site)
    *notes, _ = _call_quietly(context, "leaderboard", "build", *build).splitlines()
    for note in notes:  # why an entry is not on the leaderboard; the last line says where the pages are
        click.echo(note, err=True)
    _call_quietly(context, "report", out, "--data", data)
    click.echo(f"report: {out / 'report.html'}")
    click.echo(f"leaderboard: {site / 'index.html'}")


def _call(context: click.Context, *words: str | Path) -> int:
    """Call another command of the same command line; return its exit code."""
    root = context.find_root()
    try:
        code = root.command.main([str(word) for word in words], root.info_name, standalone_mode=False)
    except SystemExit as end:
        code = end.code
    return code if isinstance(code, int) else 0


def _call_quietly(context: click.Context, *words: str | Path) -> str:
    """Call another command of the same command line; return what it prints instead of printing it."""
    with redirect_stdout(io.StringIO()) as printed:
        _call(context, *words)
    return printed.getvalue()
