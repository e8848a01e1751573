"""``s3harness report``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import readers_option, warn_of_identifiers


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: report.html in RUN."
)
@click.option("--data", type=click.Path(path_type=Path), help="Data set, to add annotated intervals and frames.")
@click.option("--videos", type=click.Path(path_type=Path), help="Folder of the videos, to play them in the page.")
@click.option(
    "--frames",
    default="",
    metavar="HOW",
    help="Add stills of the frames sent: blurred, or through an installed transform, such as silhouette.",
)
@readers_option
def report(
    run: Path, out: Path | None, data: Path | None, videos: Path | None, frames: str, readers: tuple[Path, ...]
) -> None:
    """Write the report of RUN as one HTML file that opens offline."""
    from s3harness.report.page.write import ReportSources, write_report

    path = write_report(run, out, ReportSources(data=data, videos=videos, frames=frames, readers=readers))
    click.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
    warn_of_identifiers(path, [run])
