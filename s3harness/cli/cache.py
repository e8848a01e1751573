"""``s3harness cache``."""

from __future__ import annotations

import click

from s3harness.cli.options import json_option, print_json


@click.group()
def cache() -> None:
    """The cache of decoded frames: info, purge."""


@cache.command()
@json_option
def info(as_json: bool) -> None:
    """Say where the cache is and how much it holds."""
    from s3harness.media import default_cache_dir

    directory = default_cache_dir()
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else 0
    if as_json:
        print_json({"directory": str(directory), "bytes": size})
    else:
        click.echo(f"{directory}: {size / 1e6:,.1f} MB")


@cache.command()
def purge() -> None:
    """Delete all decoded frames."""
    from s3harness.media import default_cache_dir
    from s3harness.media import purge as purge_cache

    directory = default_cache_dir()
    click.echo(f"{directory}: {purge_cache(directory) / 1e6:,.1f} MB deleted")
