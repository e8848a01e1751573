"""Options of the commands that can have reports read by a judge, and the call of the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from s3harness.cli.options import count, identifier_options, parse_options

if TYPE_CHECKING:
    from s3harness.scoring.judging.folder import JudgeSettings
    from s3harness.scoring.judging.judge import Judged

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--judge", help="Judge by which a language model reads the reports: structure, or a plugin's."),
    click.option("--judge-backend", metavar="NAME", help="Backend of the judge; default: only use recorded replies."),
    click.option("--judge-model", metavar="NAME", help="Model of the judge: a card's alias or path, or a served name."),
    click.option("--judge-dir", type=click.Path(path_type=Path), help="Directory of the judge's raw replies."),
    click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Judge-backend option, name=value."),
    click.option("--allow-remote", multiple=True, metavar="HOST", help="Host that reports may be sent to; repeatable."),
    identifier_options,
)


def judge_options(command: Command) -> Command:
    """Add the options that :func:`judge_settings` reads."""
    # Decorators apply from the bottom up: reversed, so that --help lists the options in this order.
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def judge_settings(folder: Path, **arguments: Any) -> JudgeSettings | None:
    """Build the judge's settings from the options; ``None`` without ``--judge``, when the rules read the reports.

    ``folder`` is the default directory of the judge's replies.
    """
    from s3harness.scoring.judging.folder import JudgeSettings

    set_options = [name for name, value in arguments.items() if value]
    if arguments["judge"] is None:
        # Silence would score by the rules, and the user would believe that a model had read the reports.
        if set_options:
            raise click.UsageError(f"{_option(set_options[0])} needs a judge: add --judge NAME")
        return None
    return JudgeSettings(
        arguments["judge"],
        arguments["judge_dir"] or folder,
        arguments["judge_backend"],
        arguments["judge_model"],
        parse_options(arguments["options"]),
        arguments["allow_remote"],
        arguments["allow_identifiers"],
        arguments["reviewed"],
    )


def judge_visibly(texts: Iterable[str], settings: JudgeSettings) -> Judged:
    """Have the judge read texts with progress shown, and print the counts of read and unread ones."""
    from s3harness.report.progress import shown_progress
    from s3harness.scoring.judging.judge import judge_reports

    with shown_progress() as progress:
        judged = judge_reports(texts, settings, progress)
    print_judged(judged)
    return judged


def print_judged(judged: Judged) -> None:
    """Print on standard error the judge's name, and how many reports were read and how many were not."""
    counts = judged.counts()
    lost = ", ".join(f"{n} {why}" for why, n in counts.items() if why != "read" and n)
    lost = f"; not read: {lost}" if lost else ""
    click.echo(f"judge {judged.name}: {count(counts['read'], 'report')} read{lost}", err=True)


def _option(name: str) -> str:
    # The one parameter whose name is not its option's.
    return "-o" if name == "options" else f"--{name.replace('_', '-')}"
