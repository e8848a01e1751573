"""``s3harness train report``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="HTML file; default: training.html in DIRECTORY."
)
def report(*, directory: Path, out: Path | None) -> None:
    """Write a page about the training in DIRECTORY: curves, held-out checks, the gate and the probes of the rewards.

    It opens offline, and shows no answer and no patient. A training that goes on can be looked at, too.
    """
    from s3harness.report.page.training import write_training_page

    click.echo(str(write_training_page(directory, out or directory / "training.html")))
