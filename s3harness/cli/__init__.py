"""The command line: arguments in, rendering out. Commands are imported when they are called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from s3harness.cli.groups import plugin_command
from s3harness.errors import S3HarnessError, UsageError, suggest
from s3harness.plugins.builtins import COMMANDS
from s3harness.plugins.manager import manager
from s3harness.report.plain import harmless
from s3harness.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3harness.plugins.registry import RegistryEntry


class LazyGroup(click.Group):
    """A group that knows its commands by their registered names, and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the built-in commands, then those of plugins; ``"data synth"`` is listed by its group."""
        return [name for name in manager().registry.names("command") if " " not in name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name.

        A built-in one is found without loading plugins: none can take its name, and who calls a command that needs no
        plugin runs no plugin's code.
        """
        if cmd_name in COMMANDS:
            return _builtin(cmd_name)
        return plugin_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the arguments; an unknown one is answered with those that come nearest."""
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            remedy = manager().registry.remedy("command", args[0])
            nearest = f" here: {remedy}" if remedy else suggest(args[0], known)
            ctx.fail(f"there is no command named {args[0]!r}{nearest}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        registry = manager().registry
        rows = [(name, _summary(registry.entry("command", name))) for name in self.list_commands(ctx)]
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
        click.echo(f"s3harness: {harmless(str(error))}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _builtin(name: str) -> click.Command:
    """Import a built-in command."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


def _summary(entry: RegistryEntry) -> str:
    return COMMANDS[entry.name][1] if entry.name in COMMANDS else entry.summary or f"From {entry.package}."
