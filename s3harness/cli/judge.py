"""The options of commands that can have reports read by a judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from s3harness.cli.options import identifier_options, parse_options

if TYPE_CHECKING:
    from s3harness.scoring.judging.folder import JudgeSettings
    from s3harness.scoring.judging.judge import Judged

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--judge", help="Have a language model read the reports, by this judge (structure, or a plugin's)."),
    click.option("--judge-backend", metavar="NAME", help="Who is asked; replies that are kept already if absent."),
    click.option("--judge-model", metavar="NAME", help="Its model: a card's alias or path, or a name it knows."),
    click.option("--judge-dir", type=click.Path(path_type=Path), help="Where its raw replies are kept."),
    click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="An option of its backend; repeatable."),
    click.option("--allow-remote", multiple=True, metavar="HOST", help="A host that reports may be sent to."),
    identifier_options,
)


def judge_options(command: Command) -> Command:
    """Give a command the options that :func:`judge_settings` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def judge_settings(folder: Path, **said: Any) -> JudgeSettings | None:
    """Who judges by what the options say; ``None`` for the rules. ``folder`` is where replies are by default."""
    from s3harness.scoring.judging.folder import JudgeSettings

    given = [name for name, value in said.items() if value]
    if said["judge"] is None:
        if given:
            raise click.UsageError(
                f"{_option(given[0])} says something of a judge, but there is none: add --judge NAME"
            )
        return None
    return JudgeSettings(
        said["judge"],
        said["judge_dir"] or folder,
        said["judge_backend"],
        said["judge_model"],
        parse_options(said["options"]),
        said["allow_remote"],
        said["allow_identifiers"],
        said["reviewed"],
    )


def judge_visibly(texts: Iterable[str], settings: JudgeSettings) -> Judged:
    """Have texts judged with progress shown, and say who judged and what could not be read."""
    from s3harness.report.progress import shown_progress
    from s3harness.scoring.judging.judge import judge_reports

    with shown_progress() as progress:
        judged = judge_reports(texts, settings, progress)
    tell(judged)
    return judged


def tell(judged: Judged) -> None:
    """Say on standard error who judged, and of how many reports there is no structure."""
    counts = judged.counts()
    lost = ", ".join(f"{n} {why}" for why, n in counts.items() if why != "read" and n)
    message = f"judge {judged.name}: {counts['read']} reports read" + (f", without a structure: {lost}" if lost else "")
    click.echo(message, err=True)


def _option(name: str) -> str:
    return "-o" if name == "options" else f"--{name.replace('_', '-')}"
