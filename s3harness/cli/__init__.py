"""The command line: arguments in, rendering out. Commands are imported when they are called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, cast

import click

from s3harness import __version__
from s3harness.errors import S3HarnessError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "demo": ("s3harness.cli.demo:demo", "Synthetic videos, all seven tasks and their scores, offline."),
    "run": ("s3harness.cli.run:run", "Ask a model everything about a data set, and score it."),
    "score": ("s3harness.cli.score:score", "Score the answers of a run again, offline."),
    "tasks": ("s3harness.cli.tasks:tasks", "The tasks: list, show, validate."),
    "models": ("s3harness.cli.models:models", "The model cards: list, show."),
    "plugins": ("s3harness.cli.plugins:plugins", "What is installed, and in what state."),
    "data": ("s3harness.cli.data:data", "Data sets: synth, import, validate, info, split."),
    "cache": ("s3harness.cli.cache:cache", "The cache of decoded frames: info, purge."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and one-line helps, and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The built-in commands, then those of plugins."""
        from s3harness.plugins import manager

        return [*COMMANDS, *manager().registry.names("command")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            return cast("click.Command", getattr(import_module(module), attribute))
        from s3harness.plugins import load, manager

        if cmd_name in manager().registry.names("command"):
            return cast("click.Command", load("command", cmd_name))
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        from s3harness.plugins import manager

        rows = [(name, short) for name, (_, short) in COMMANDS.items()]
        registry = manager().registry
        rows += [(n, f"From {registry.entry('command', n).package}.") for n in registry.names("command")]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="s3harness")
def cli() -> None:
    """Evaluate multimodal language models on clinical video.

    Built for the Seizure-Semiology-Suite: no score without its floor, no failure dropped, nothing sent off this
    machine. Research use, not a medical device.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exit codes: 0 done, 1 the work failed, 2 the call was wrong."""
    try:
        code = cli.main(args=arguments, prog_name="s3harness", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("s3harness: stopped", err=True)
        sys.exit(1)
    except S3HarnessError as error:
        click.echo(f"s3harness: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
