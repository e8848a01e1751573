"""``s3harness report``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import warn_of_identifiers


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: report.html in RUN."
)
@click.option("--data", type=click.Path(path_type=Path), help="Data set, to add annotated intervals and frames.")
@click.option("--videos", type=click.Path(path_type=Path), help="Folder of the videos, to play them in the page.")
def report(run: Path, out: Path | None, data: Path | None, videos: Path | None) -> None:
    """Write the report of RUN as one HTML file that opens offline."""
    from s3harness.report.page import write_report

    path = write_report(run, out, data, videos)
    click.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    warn_of_identifiers(path, [run])
