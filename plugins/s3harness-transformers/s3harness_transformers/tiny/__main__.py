"""``python -m s3harness_transformers.tiny FAMILY DIRECTORY``."""

from __future__ import annotations

from pathlib import Path

import click

import s3harness
from s3harness_transformers.tiny import ALIASES, FAMILIES, OTHER_FAMILIES, tiny_model


@click.command()
@click.argument("family", type=click.Choice([*FAMILIES, *OTHER_FAMILIES, *ALIASES]))
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--seed", default=0, show_default=True, help="Of the random weights.")
def main(family: str, directory: Path, seed: int) -> None:
    """Save a tiny random-weight model of FAMILY in DIRECTORY."""
    try:
        click.echo(tiny_model(family, directory, seed=seed))
    except s3harness.UsageError as error:
        raise click.UsageError(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m s3harness_transformers.tiny")
