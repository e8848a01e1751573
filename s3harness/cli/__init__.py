"""The command line: arguments in, rendering out. Commands are imported when they are called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from s3harness.errors import PluginError, S3HarnessError, UsageError, suggest
from s3harness.plugins.builtins import COMMANDS
from s3harness.plugins.manager import manager
from s3harness.report.plain import harmless
from s3harness.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


class LazyGroup(click.Group):
    """A group that knows its commands by their registered names, and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The built-in commands, then those of plugins."""
        return manager().registry.names("command")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name.

        A built-in one is found without loading plugins: none can take its name, and who calls a command that needs no
        plugin runs no plugin's code.
        """
        if cmd_name in COMMANDS:
            return _builtin(cmd_name)
        registry = manager().registry
        if cmd_name not in registry.names("command") and ("command", cmd_name) not in registry.clashes:
            return None
        command = registry.load("command", cmd_name)
        if not isinstance(command, click.Command):
            entry = registry.entry("command", cmd_name)
            raise PluginError(f"command {cmd_name!r} of package {entry.package!r}: {entry.target} is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the arguments; an unknown one is answered with those that come nearest."""
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"there is no command named {args[0]!r}{suggest(args[0], known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        registry = manager().registry
        rows = [(name, _summary(name, registry.entry("command", name).package)) for name in registry.names("command")]
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


def _summary(name: str, package: str) -> str:
    return COMMANDS[name][1] if name in COMMANDS else f"From {package}."
