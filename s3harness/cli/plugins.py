"""``s3harness plugins``."""

from __future__ import annotations

import click

from s3harness.cli.options import json_option, print_json


@click.group()
def plugins() -> None:
    """What is installed, and in what state."""


@plugins.command("list")
@click.option("--kind", help="Only this kind.")
@json_option
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List everything that is registered: kind, name, package, version and state."""
    from s3harness.plugins import KINDS, manager
    from s3harness.report.table import print_rows
    from s3harness.specs.tasks import check_choice

    if kind is not None:
        check_choice("kind", kind, KINDS)
    found = manager()
    rows = [
        {"kind": e.kind, "name": e.name, "package": e.package, "version": e.version, "state": "registered"}
        for e in found.registry.entries.values()
    ]
    rows += [
        {"kind": "plugin", "name": p.name, "package": p.package, "version": p.version, "state": f"broken: {p.error}"}
        for p in found.plugins
        if p.error
    ]
    rows = [row for row in rows if kind in (None, row["kind"])]
    print_json(rows) if as_json else print_rows(rows)
