"""``s3harness demo``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

VIDEOS = 20
SEED = 0
SECONDS = 30.0
RESOLUTION = (480, 270)
FPS = 20


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("demo-data"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo-run"), show_default=True)
def demo(data: Path, out: Path) -> None:
    """Make synthetic videos, ask the kinematics baseline all seven tasks about them, and show its scores.

    Everything is local: the videos are rendered once, decoded once, and a second call answers nothing twice.
    """
    from s3harness.cli.run import execute_visibly, show_outcome
    from s3harness.run.session import Settings, prepare

    if not (data / "dataset.json").exists():
        _render(data)
    prepared = prepare(Settings("kinematics", data, out, resume=True))
    outcome = execute_visibly(prepared)
    show_outcome(prepared, outcome, as_json=False)
    sys.exit(1 if outcome.failed else 0)


def _render(data: Path) -> None:
    from s3harness.synth import synthesize

    click.echo(f"rendering {VIDEOS} synthetic videos into {data}", err=True)
    synthesize(data, videos=VIDEOS, seed=SEED, resolution=RESOLUTION, fps=FPS, duration_s=SECONDS, workers=2)
