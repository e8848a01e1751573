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

readers_option = click.option(
    "--readers",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="RUN",
    help="Exam of a human reader (s3harness read), whose score stands beside floor and ceiling; repeatable.",
)


def identifier_options(command: Command) -> Command:
    """Add the options that let likely identifiers (names, dates) be sent to a model."""
    options = (
        click.option(
            "--allow-identifiers",
            default="",
            metavar="REASON",
            help="Send texts that hold names, dates or other identifiers; the reason is recorded.",
        ),
        click.option(
            "--reviewed",
            default="",
            metavar="CODE",
            help="Confirm that the listed likely identifiers are harmless, by the code of the list.",
        ),
    )
    # Decorators apply from the bottom up: reversed, so that --help lists the options in this order.
    for option in reversed(options):
        command = option(command)
    return command


def _choose_features(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None and not context.resilient_parsing:
        from s3harness.specs.features import choose_vocabulary, forget_choice

        choose_vocabulary(path)
        # A process may run several commands, and the choice is that of one.
        context.call_on_close(forget_choice)


# Eager: other options may name signs.
features_option = click.option(
    "--features",
    type=click.Path(path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_choose_features,
    metavar="FILE",
    help="Your own list of signs (YAML) or ilae-2025, for a data set that has none.",
)
exporter_options = click.option(
    "-o", "options", multiple=True, metavar="KEY=VALUE", help="Option of the exporter, name=value; repeatable."
)


def print_notes(out: Path, form: str, notes: Sequence[str], as_json: bool) -> None:
    """Print where annotations were written, and what their format has no place for."""
    if as_json:
        print_json({"output": str(out), "format": form, "notes": list(notes)})
        return
    for note in notes:
        click.echo(note)
    click.echo(f"{out}: written for {form}")


def _isolate(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    # Shell completion parses with resilient_parsing and must not change the process.
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
    help="Run in a network namespace with loopback only (Linux).",
)


def default_data() -> Path:
    """Return ``$S3HARNESS_DATA``, or ``data`` in the working directory."""
    return Path(os.environ.get("S3HARNESS_DATA", "data"))


def parse_options(pairs: Sequence[str], hint: str = "-o") -> dict[str, object]:
    """Parse ``key=value`` pairs; values are YAML (``4`` is a number, ``true`` a boolean, ``[1, 2]`` a list).

    Raises :class:`click.BadParameter`, naming the option ``hint``, for text that is no pair.
    """
    options = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{pair!r} is not of the form key=value", param_hint=hint)
        options[key] = _value(value)
    return options


def warn_of_identifiers(page: Path, runs: Iterable[Path]) -> None:
    """Warn on standard error if a page about runs holds identifiers, so that nobody shares it unaware."""
    from s3harness.leaderboard.audit import findings_in_page

    if kinds := sorted({finding.message for run in runs for finding in findings_in_page(page, run)}):
        click.echo(f"s3harness: do not share {page.name}: it {'; '.join(kinds)}", err=True)


def count(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: "1 video", "2 videos"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def split_names(text: str | None) -> list[str]:
    """Split comma-separated names; empty ones are dropped."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def print_json(data: object) -> None:
    """Print JSON on standard output."""
    # NaN and Infinity are no JSON: better an error here than a file that other readers refuse.
    click.echo(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def _value(text: str) -> Any:
    import yaml  # here: importing it at the top would slow down every --help

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        # Text with YAML's special characters, "http://host:80/@v" say, is meant as it stands.
        return text
