"""``s3harness cache``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from s3harness.cli.options import count, json_option, print_json

MEGABYTE = 1e6
DAY_S = 86_400.0

cache_option = click.option(
    "--cache",
    "directory",
    type=click.Path(path_type=Path),
    help="Cache directory for decoded frames; default: $S3HARNESS_CACHE, or ~/.cache/s3harness.",
)


@click.group()
def cache() -> None:
    """Manage the cache of decoded frames: info, purge."""


@cache.command()
@cache_option
@json_option
def info(directory: Path | None, as_json: bool) -> None:
    """Show the cache's place, size and age, and warn if other users can read it."""
    from s3harness.media import cache_usage, default_cache_dir

    directory = directory or default_cache_dir()
    contents = cache_usage(directory)
    # max: a file may be dated in the future, by another machine's clock on a shared disk.
    days = None if contents.oldest_s is None else round(max(0.0, time.time() - contents.oldest_s) / DAY_S, 1)
    if as_json:
        about = {"files": contents.files, "oldest_days": days, "private": contents.is_private}
        print_json({"directory": str(directory), "bytes": contents.n_bytes, **about})
        return
    age = "" if days is None else f", the oldest unused for {days} days"
    # Frames show patients: a cache that others can read is a leak, though nothing has failed.
    warning = "" if contents.is_private else "; other users can read it: run chmod 700 on it, or purge it"
    click.echo(f"{directory}: {contents.n_bytes / MEGABYTE:,.1f} MB in {count(contents.files, 'file')}{age}{warning}")


@cache.command()
@cache_option
@click.option("--yes", is_flag=True, help="Delete without asking.")
def purge(directory: Path | None, yes: bool) -> None:
    """Delete all decoded frames, after asking. Runs keep their answers; videos are decoded again when needed."""
    from s3harness.media import cache_usage, default_cache_dir
    from s3harness.media import purge as purge_cache

    directory = directory or default_cache_dir()
    contents = cache_usage(directory)
    if contents.files and not yes:  # an empty cache needs no question
        click.confirm(f"delete {contents.n_bytes / MEGABYTE:,.1f} MB of decoded frames in {directory}?", abort=True)
    click.echo(f"{directory}: {purge_cache(directory) / MEGABYTE:,.1f} MB deleted")
