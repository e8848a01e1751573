"""``s3harness report``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import tell_identifiers


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; RUN/report.html if not said.")
@click.option("--data", type=click.Path(path_type=Path), help="The data set: adds annotated intervals and frames.")
@click.option("--videos", type=click.Path(path_type=Path), help="A folder of the videos, to play beside the lanes.")
def report(run: Path, out: Path | None, data: Path | None, videos: Path | None) -> None:
    """Write the report of RUN as one HTML file that opens offline."""
    from s3harness.report.page import write_report

    path = write_report(run, out, data, videos)
    click.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    tell_identifiers(path, [run])
