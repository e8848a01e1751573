"""Groups of commands, and the commands of plugins."""

from __future__ import annotations

import click

from s3harness.errors import PluginError
from s3harness.plugins.manager import manager


class PluginGroup(click.Group):
    """A group with built-in commands, and after them those that plugins register as ``"GROUP COMMAND"``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the built-in commands, then those of plugins."""
        prefix = f"{self.name} "
        names = [name for name in manager().registry.names("command") if name.startswith(prefix)]
        return list(dict.fromkeys([*super().list_commands(ctx), *(name.removeprefix(prefix) for name in names)]))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or ``None``."""
        # The built-in one first: no plugin can take its name, and a command that needs no plugin must not load any.
        return super().get_command(ctx, cmd_name) or plugin_command(f"{self.name} {cmd_name}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of the arguments; for that of a known package, fail with the command to install it."""
        name = f"{self.name} {args[0]}"
        if super().get_command(ctx, args[0]) is None and plugin_command(name) is None:
            remedy = manager().registry.remedy("command", name)
            if remedy:
                ctx.fail(f"there is no command named {name!r} here: {remedy}")
        return super().resolve_command(ctx, args)


def plugin_command(name: str) -> click.Command | None:
    """Import the command that a plugin registers under a name; ``None`` if none does.

    Raises :class:`PluginError` if two plugins claim the name, or if the component is no click command.
    """
    registry = manager().registry
    # A name that two plugins claim is loaded all the same: the error of load() names both.
    if name not in registry.names("command") and ("command", name) not in registry.clashes:
        return None
    command = registry.load("command", name)
    if not isinstance(command, click.Command):
        entry = registry.entry("command", name)
        raise PluginError(
            f"command {name!r} of package {entry.package!r}: {entry.target} is not a click command; "
            f"fix or uninstall the package"
        )
    return command
