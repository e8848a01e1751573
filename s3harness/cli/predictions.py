"""``s3harness predictions``."""

from __future__ import annotations

from pathlib import Path

import click

from s3harness.cli.options import exporter_options, json_option, parse_options, print_notes


@click.group()
def predictions() -> None:
    """Answers of a run, for annotation tools: export."""


@predictions.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", "form", required=True, metavar="FORMAT", help="csv, or the format of a plugin, such as elan.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data set, for ends, files and signs that were not asked about."
)
@exporter_options
@json_option
def export(run: Path, form: str, output: Path, data: Path | None, options: tuple[str, ...], as_json: bool) -> None:
    """Write the signs that a model reported in RUN beside the truth, to be opened in an annotation tool.

    Free texts stay: neither reasons and reports of the model nor those of the annotators are exported.
    """
    from s3harness.dataset.export_annotations import write_annotations
    from s3harness.dataset.load import load_dataset
    from s3harness.scoring.recordings import recordings_of_run

    annotations, notes = recordings_of_run(run, load_dataset(data) if data else None)
    notes = [*notes, *write_annotations(annotations, output, form, options=parse_options(options))]
    print_notes(output, form, notes, as_json)
