"""``s3harness plugins``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import count, json_option, parse_options, print_json
from s3harness.plugins.registry import BUILTIN, KINDS

if TYPE_CHECKING:
    from s3harness.plugins.manager import PluginManager
    from s3harness.plugins.registry import Kind, Plugin, RegistryEntry
    from s3harness.testing.contract import ContractVerdict
    from s3harness.testing.trial import TrialSettings


@click.group()
def plugins() -> None:
    """Plugins: list, check, new."""


@plugins.command("list")
@click.option("--kind", type=click.Choice([*KINDS, "plugin"]), help="List only this kind; plugin: broken packages.")
@json_option
def list_plugins(kind: str | None, as_json: bool) -> None:
    """List all registered components: kind, name, package, version and state."""
    from s3harness.plugins.manager import manager
    from s3harness.report.plain_text import print_rows

    rows = [row for row in _rows(manager()) if kind in (None, row["kind"])]
    print_json(rows) if as_json else print_rows(rows)


@plugins.command()
@click.argument("names", metavar="[KIND:]NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Check all components of plugins, none that is built in.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Component option, name=value; repeatable.")
@click.option("--item", default="", help="Kind of items that a metric, sampler or aggregator is for.")
@click.option("--model", default="", help="Model card to construct a backend with.")
@click.option("--allow-remote", multiple=True, metavar="HOST", help="Host that it may connect to; repeatable.")
@click.option(
    "--timeout", "limit_s", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Seconds per trial."
)
@json_option
def check(names: Sequence[str], every: bool, options: Sequence[str], as_json: bool, **arguments: Any) -> None:
    """Check components, by name or by package, against the contract of their kind.

    Each component is tried in its own process. Broken promises are listed, and the exit code is then 1.
    """
    from s3harness.testing.trial import TrialSettings

    if bool(names) == every:
        raise click.UsageError("name the components to check, or use --all; not both")
    settings = TrialSettings(options=parse_options(options), **arguments)
    verdicts = list(_verdicts(_all_names() if every else names, settings))
    if as_json:
        print_json([_plain(verdict) for verdict in verdicts])
    else:
        _print_verdicts(verdicts)
    sys.exit(1 if any(verdict.findings for verdict in verdicts) else 0)


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="Kind of component that the plugin adds.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write the package into."
)
def new(name: str, kind: str, out: Path) -> None:
    """Write a plugin called NAME: a package that installs, passes its check and runs as it is."""
    from s3harness.scaffold.new import write_plugin

    folder = write_plugin(name, kind, out)
    click.echo(f"{folder}: install it with pip install -e {folder}; README.md describes the next steps")


def _all_names() -> list[str]:
    """Names of all components of plugins, and of the packages that are broken."""
    from s3harness.plugins.manager import manager

    entries = manager().registry.entries.values()
    brought = [f"{entry.kind}:{entry.name}" for entry in entries if entry.package != BUILTIN]
    # A name that two plugins claim fails its check, which names both packages.
    claimed = [f"{kind}:{name}" for kind, name in manager().registry.clashes]
    return [*brought, *claimed, *dict.fromkeys(plugin.package for plugin in manager().plugins if plugin.error)]


def _verdicts(names: Sequence[str], settings: TrialSettings) -> Iterator[ContractVerdict]:
    from s3harness.errors import PluginError
    from s3harness.testing.contract import broken_package, named
    from s3harness.testing.process import verdict_apart

    for name in names:
        try:
            components: list[tuple[Kind, str]] = named(name)
        except PluginError as error:  # a package that cannot be imported is a verdict too, beside those of the others
            yield broken_package(name, str(error))
            continue
        for kind, registered in components:
            yield verdict_apart(kind, registered, settings)


def _print_verdicts(verdicts: Sequence[ContractVerdict]) -> None:
    """Print a line for each component, and below it its broken promises and the trials that were not possible."""
    from s3harness.report.plain_text import one_line
    from s3harness.testing.contract import promises_of

    for verdict in verdicts:
        whole = "broken" if verdict.kind == "plugin" else f"keeps its {len(promises_of(verdict.kind))} promises"
        broken = len({finding.promise for finding in verdict.findings})
        result = f"breaks {count(broken, 'promise')}" if broken else whole
        click.echo(f"{verdict.kind}:{verdict.name}: {result}")
        for finding in verdict.findings:
            click.echo(f"  {one_line(f'{finding.promise}: {finding.says}, but {finding.note}')}")
        for why in verdict.untried:
            click.echo(f"  {one_line(f'note: {why}')}")
    if not verdicts:
        click.echo("nothing to check: no plugin is installed")


def _plain(verdict: ContractVerdict) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(verdict) | {"passed": not verdict.findings}


def _rows(plugin_manager: PluginManager) -> Iterator[dict[str, str]]:
    """Rows of the registered components, of names that two plugins claim, and of broken packages."""
    for entry in plugin_manager.registry.entries.values():
        yield _row(entry.kind, entry, _state(entry))
    for kind, name in plugin_manager.registry.clashes:
        for entry in plugin_manager.registry.clashes[kind, name]:
            others = {other.package for other in plugin_manager.registry.clashes[kind, name]} - {entry.package}
            yield _row(kind, entry, f"unusable: {' and '.join(sorted(others)) or entry.package} registers it too")
    for plugin in plugin_manager.plugins:
        if plugin.error:
            yield _row("plugin", plugin, f"broken: {plugin.error}; fix it, or pip uninstall {plugin.package}")


def _state(entry: RegistryEntry) -> str:
    """Return "registered", or "broken" if the module of an entry does not exist; nothing is imported."""
    from importlib.util import find_spec

    module = entry.target.partition(":")[0]
    parent = module.rpartition(".")[0]
    # find_spec() imports the parents of a module: of a package that is not imported yet, only the top is looked for.
    looked_for = module if not parent or parent in sys.modules else module.partition(".")[0]
    try:
        has_module = entry.package == BUILTIN or looked_for in sys.modules or find_spec(looked_for) is not None
    except (ImportError, ValueError):  # ValueError: a module whose __spec__ is None
        has_module = False
    return "registered" if has_module else f"broken: there is no module {looked_for}; reinstall {entry.package}"


def _row(kind: str, of: RegistryEntry | Plugin, state: str) -> dict[str, str]:
    return {"kind": kind, "name": of.name, "package": of.package, "version": of.version, "state": state}
