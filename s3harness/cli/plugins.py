"""``s3harness plugins``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import json_option, parse_options, print_json
from s3harness.plugins.registry import BUILTIN, KINDS

if TYPE_CHECKING:
    from s3harness.plugins.manager import PluginManager
    from s3harness.plugins.registry import Kind, Plugin, RegistryEntry
    from s3harness.testing.contract import Verdict
    from s3harness.testing.trial import Settings


@click.group()
def plugins() -> None:
    """What is installed, and in what state: list, check, new."""


@plugins.command("list")
@click.option("--kind", type=click.Choice([*KINDS, "plugin"]), help="Only this kind; plugin shows those broken.")
@json_option
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List everything that is registered: kind, name, package, version and state."""
    from s3harness.plugins.manager import manager
    from s3harness.report.plain import print_rows

    rows = [row for row in _rows(manager()) if kind in (None, row["kind"])]
    print_json(rows) if as_json else print_rows(rows)


@plugins.command()
@click.argument("names", metavar="[KIND:]NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that plugins brought; nothing that is built in.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="What the thing itself is given; repeatable.")
@click.option("--item", default="", help="The kind of items that a metric, sampler or aggregator is for.")
@click.option("--model", default="", help="The model card that a backend is made with.")
@click.option("--allow-remote", multiple=True, metavar="HOST", help="A host that it may connect to; repeatable.")
@click.option(
    "--timeout", "limit_s", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Seconds for one trial."
)
@json_option
def check(names: Sequence[str], every: bool, options: Sequence[str], as_json: bool, **said: Any) -> None:
    """Try what is registered by these names, or by a package, against the contract of its kind.

    Each is tried in a process of its own. The exit code is 1 if any promise is broken; each that is broken is named.
    """
    from s3harness.testing.trial import Settings

    if bool(names) == every:
        raise click.UsageError("name what is to be checked, or say --all")
    settings = Settings(options=parse_options(options), **said)
    verdicts = list(_verdicts(_all_names() if every else names, settings))
    if as_json:
        print_json([_plain(verdict) for verdict in verdicts])
    else:
        _tell(verdicts)
    sys.exit(1 if any(verdict.findings for verdict in verdicts) else 0)


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it is a plugin of.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where its folder is made."
)
def new(name: str, kind: str, out: Path) -> None:
    """Write a plugin called NAME: a package that installs, passes its check and runs as it is written."""
    from s3harness.scaffold.new import write_plugin

    folder = write_plugin(name, kind, out)
    click.echo(f"{folder}: install it with pip install -e {folder}; README.md says the rest")


def _all_names() -> list[str]:
    """What plugins brought, and the packages that are broken."""
    from s3harness.plugins.manager import manager

    entries = manager().registry.entries.values()
    brought = [f"{entry.kind}:{entry.name}" for entry in entries if entry.package != BUILTIN]
    claimed = [f"{kind}:{name}" for kind, name in manager().registry.clashes]
    return [*brought, *claimed, *dict.fromkeys(plugin.package for plugin in manager().plugins if plugin.error)]


def _verdicts(names: Sequence[str], settings: Settings) -> Iterator[Verdict]:
    from s3harness.errors import PluginError
    from s3harness.testing.contract import broken_package, named
    from s3harness.testing.process import verdict_apart

    for name in names:
        try:
            found: list[tuple[Kind, str]] = named(name)
        except PluginError as error:
            yield broken_package(name, str(error))
            continue
        for kind, registered in found:
            yield verdict_apart(kind, registered, settings)


def _tell(verdicts: Sequence[Verdict]) -> None:
    """One line for each, and under it what it broke and what could not be tried."""
    from s3harness.report.plain import one_line
    from s3harness.testing.contract import promises_of

    for verdict in verdicts:
        kept = "broken" if verdict.kind == "plugin" else f"keeps its {len(promises_of(verdict.kind))} promises"
        broken = len({finding.promise for finding in verdict.findings})
        click.echo(f"{verdict.kind}:{verdict.name}: {f'breaks {broken}' if broken else kept}")
        for finding in verdict.findings:
            click.echo(f"  {one_line(f'{finding.promise}: {finding.says}, but {finding.note}')}")
        for why in verdict.untried:
            click.echo(f"  {one_line(f'note: {why}')}")
    if not verdicts:
        click.echo("there is nothing to check: no plugin is installed")


def _plain(verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(verdict) | {"passed": not verdict.findings}


def _rows(found: PluginManager) -> Iterator[dict[str, str]]:
    """What is registered, what two plugins claim, and what is broken."""
    for entry in found.registry.entries.values():
        yield _row(entry.kind, entry, _state(entry))
    for kind, name in found.registry.clashes:
        for entry in found.registry.clashes[kind, name]:
            others = {other.package for other in found.registry.clashes[kind, name]} - {entry.package}
            yield _row(kind, entry, f"unusable: {' and '.join(sorted(others)) or entry.package} registers it too")
    for plugin in found.plugins:
        if plugin.error:
            yield _row("plugin", plugin, f"broken: {plugin.error}; mend it, or pip uninstall {plugin.package}")


def _state(entry: RegistryEntry) -> str:
    """Whether the module of an entry is there, as far as can be told without importing anything."""
    from importlib.util import find_spec

    module = entry.target.partition(":")[0]
    parent = module.rpartition(".")[0]
    looked_for = module if not parent or parent in sys.modules else module.partition(".")[0]
    try:
        is_there = entry.package == BUILTIN or looked_for in sys.modules or find_spec(looked_for) is not None
    except (ImportError, ValueError):
        is_there = False
    return "registered" if is_there else f"broken: there is no module {looked_for}; reinstall {entry.package}"


def _row(kind: str, of: RegistryEntry | Plugin, state: str) -> dict[str, str]:
    return {"kind": kind, "name": of.name, "package": of.package, "version": of.version, "state": state}
