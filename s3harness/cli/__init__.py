"""The command line: parse arguments, call the core, print. Each command is imported when it is called."""

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
from s3harness.report.plain_text import harmless
from s3harness.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from s3harness.plugins.registry import RegistryEntry


class LazyGroup(click.Group):
    """A group that knows its commands by their registered names, and imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the built-in commands, then those of plugins."""
        # A name of two words ("data synth") belongs to a group, which lists it.
        return [name for name in manager().registry.names("command") if " " not in name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name; ``None`` if there is none, :class:`PluginError` if it is no click command."""
        # Before the plugins are loaded: none can take a built-in name, and a command that needs no plugin must not run
        # a plugin's code.
        if cmd_name in COMMANDS:
            return _builtin(cmd_name)
        return plugin_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with; for an unknown one, fail and suggest similar names."""
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        names = self.list_commands(ctx)
        # A word that begins with "-" is left to click, which says "No such option".
        if args[0] not in names and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            remedy = manager().registry.remedy("command", args[0])
            nearest = f" here: {remedy}" if remedy else suggest(args[0], names)
            ctx.fail(f"there is no command named {args[0]!r}{nearest}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        registry = manager().registry
        # Unlike click's own, from the registry's one-line summaries, so that --help imports no command.
        rows = [(name, _summary(registry.entry("command", name))) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="s3harness")
def cli() -> None:
    """Evaluate multimodal language models on clinical video.

    Built for the Seizure-Semiology-Suite. Every score is shown beside its floor, failed requests count as wrong, and
    nothing leaves this machine unless you name a host. For research use; not a medical device.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 if done, 1 if the work failed, 2 if the call was wrong."""
    try:
        # Not standalone: click would end the process itself, with "Aborted!" for Ctrl-C.
        code = cli.main(args=arguments, prog_name="s3harness", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("s3harness: stopped", err=True)
        sys.exit(1)
    except S3HarnessError as error:
        # Messages quote texts of others (file names, cells, replies), which may hold control characters.
        click.echo(f"s3harness: {harmless(str(error))}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        # The reader (head, less) is gone: without this, Python's flush of stdout at exit would raise once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _builtin(name: str) -> click.Command:
    """Import a built-in command and return it."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


def _summary(entry: RegistryEntry) -> str:
    # Without a summary, only the package of a plugin's command is known before it is imported.
    return COMMANDS[entry.name][1] if entry.name in COMMANDS else entry.summary or f"From {entry.package}."
