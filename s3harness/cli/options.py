"""Options that several commands share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def identifier_options(command: Command) -> Command:
    """Give a command the options that say what becomes of identifiers in what would be sent."""
    options = (
        click.option(
            "--allow-identifiers",
            default="",
            metavar="REASON",
            help="Send texts with names, dates and other identifiers; the reason is kept.",
        ),
        click.option(
            "--reviewed",
            default="",
            metavar="CODE",
            help="Confirm, by its code, the list of likely identifiers that you looked at.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _isolate(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not context.resilient_parsing:
        from s3harness.guard.isolation import isolate

        isolate()


# Eager: libraries that are imported later start threads, and only a process of one thread can change its network.
isolate_option = click.option(
    "--isolate",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_isolate,
    help="Run in a network of its own that has loopback alone (Linux).",
)


def default_data() -> Path:
    """``$S3HARNESS_DATA``, or ``data`` in the working directory."""
    return Path(os.environ.get("S3HARNESS_DATA", "data"))


def parse_options(pairs: Sequence[str], hint: str = "-o") -> dict[str, object]:
    """``key=value`` pairs; a value is read as YAML, so that numbers, booleans and lists are what they look like."""
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r} is not key=value", param_hint=hint)
        options[key] = _value(value)
    return options


def tell_identifiers(page: Path, runs: Iterable[Path]) -> None:
    """Say on standard error which identifiers a page of runs holds, so that nobody passes it on unaware."""
    from s3harness.leaderboard.audit import findings_in_page

    if kinds := sorted({finding.message for run in runs for finding in findings_in_page(page, run)}):
        click.echo(f"s3harness: {page.name} is not for sharing: it {'; '.join(kinds)}", err=True)


def split_names(text: str | None) -> list[str]:
    """Comma-separated names."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def print_json(data: object) -> None:
    """Print JSON on standard output."""
    click.echo(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def _value(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
