"""``s3harness plugins``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from s3harness.cli.options import json_option, print_json
from s3harness.plugins import KINDS

if TYPE_CHECKING:
    from s3harness.plugins import Entry, Plugin, PluginManager


@click.group()
def plugins() -> None:
    """What is installed, and in what state."""


@plugins.command("list")
@click.option("--kind", type=click.Choice([*KINDS, "plugin"]), help="Only this kind; plugin shows those broken.")
@json_option
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List everything that is registered: kind, name, package, version and state."""
    from s3harness.plugins import manager
    from s3harness.report.plain import print_rows

    rows = [row for row in _rows(manager()) if kind in (None, row["kind"])]
    print_json(rows) if as_json else print_rows(rows)


def _rows(found: PluginManager) -> Iterator[dict[str, str]]:
    """What is registered, what two plugins claim, and what is broken."""
    for entry in found.registry.entries.values():
        yield _row(entry.kind, entry, "registered")
    for kind, name in found.registry.clashes:
        for entry in found.registry.clashes[kind, name]:
            others = {other.package for other in found.registry.clashes[kind, name]} - {entry.package}
            yield _row(kind, entry, f"unusable: {' and '.join(sorted(others)) or entry.package} registers it too")
    for plugin in found.plugins:
        if plugin.error:
            yield _row("plugin", plugin, f"broken: {plugin.error}")


def _row(kind: str, of: Entry | Plugin, state: str) -> dict[str, str]:
    return {"kind": kind, "name": of.name, "package": of.package, "version": of.version, "state": state}
