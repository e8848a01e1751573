"""``s3harness cache``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from s3harness.cli.options import json_option, print_json

MEGABYTE = 1e6
DAY_S = 86_400.0

cache_option = click.option(
    "--cache",
    "directory",
    type=click.Path(path_type=Path),
    help="Where decoded frames are kept; $S3HARNESS_CACHE, or ~/.cache/s3harness, if not said.",
)


@click.group()
def cache() -> None:
    """The cache of decoded frames: info, purge."""


@cache.command()
@cache_option
@json_option
def info(directory: Path | None, as_json: bool) -> None:
    """Say where the cache is, how much it holds, since when, and whether others can look into it."""
    from s3harness.media import cache_usage, default_cache_dir

    directory = directory or default_cache_dir()
    found = cache_usage(directory)
    days = None if found.oldest_s is None else round(max(0.0, time.time() - found.oldest_s) / DAY_S, 1)
    if as_json:
        about = {"files": found.files, "oldest_days": days, "private": found.is_private}
        print_json({"directory": str(directory), "bytes": found.n_bytes, **about})
        return
    used = "" if days is None else f", the oldest unused for {days} days"
    seen = "" if found.is_private else "; others can look into it: chmod 700, or purge it"
    click.echo(f"{directory}: {found.n_bytes / MEGABYTE:,.1f} MB in {found.files} files{used}{seen}")


@cache.command()
@cache_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(directory: Path | None, yes: bool) -> None:
    """Delete all decoded frames, after asking. Runs keep their answers; videos are decoded again when next needed."""
    from s3harness.media import cache_usage, default_cache_dir
    from s3harness.media import purge as purge_cache

    directory = directory or default_cache_dir()
    found = cache_usage(directory)
    if found.files and not yes:
        click.confirm(f"delete {found.n_bytes / MEGABYTE:,.1f} MB of decoded frames in {directory}?", abort=True)
    click.echo(f"{directory}: {purge_cache(directory) / MEGABYTE:,.1f} MB deleted")
