"""The command line: parse arguments, call the core, print. Each command is imported when it is called."""

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
        """Names of the built-in commands, then those of plugins."""
        return manager().registry.names("command")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name; ``None`` if there is none, :class:`PluginError` if it is no click command."""
        # Before the plugins are loaded: none can take a built-in name, and a command that needs no plugin must not run
        # a plugin's code.
        if cmd_name in COMMANDS:
            return _builtin(cmd_name)
        registry = manager().registry
        # A name that two plugins claim is loaded all the same: the error of load() names both.
        if cmd_name not in registry.names("command") and ("command", cmd_name) not in registry.clashes:
            return None
        command = registry.load("command", cmd_name)
        if not isinstance(command, click.Command):
            entry = registry.entry("command", cmd_name)
            raise PluginError(
                f"command {cmd_name!r} of package {entry.package!r}: {entry.target} is not a click command; "
                f"fix or uninstall the package"
            )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments begin with; for an unknown one, fail and suggest similar names."""
        if args[0] in COMMANDS:
            return super().resolve_command(ctx, args)
        names = self.list_commands(ctx)
        # A word that begins with "-" is left to click, which says "No such option".
        if args[0] not in names and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"there is no command named {args[0]!r}{suggest(args[0], names)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        registry = manager().registry
        # Unlike click's own, from the registry's one-line summaries, so that --help imports no command.
        rows = [(name, _summary(name, registry.entry("command", name).package)) for name in registry.names("command")]
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


def _summary(name: str, package: str) -> str:
    # Of a plugin's command only the package is known without importing it.
    return COMMANDS[name][1] if name in COMMANDS else f"From {package}."
