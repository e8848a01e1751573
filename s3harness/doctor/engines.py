"""Checks of the installed plugins, and of the engines that can run here."""

from __future__ import annotations

from collections.abc import Iterator

from s3harness.doctor.check import Check
from s3harness.plugins.known_packages import OWN_PACKAGES
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import BUILTIN, RegistryEntry


def plugins() -> Iterator[Check]:
    """Yield a check of each plugin, with the error of broken ones, and of each name that two plugins claim."""
    plugin_manager = manager()
    others = [plugin for plugin in plugin_manager.plugins if plugin.package != BUILTIN]
    for plugin in others:
        # A note, not broken: runs with other components work all the same.
        remedy = f"upgrade {plugin.package}, or pip uninstall it: it cannot be used as it is" if plugin.error else ""
        result = f"{plugin.version}{f': {plugin.error}' if plugin.error else ''}"
        yield Check("plugins", plugin.package, result, "note" if plugin.error else "ok", remedy)
    if not others:
        yield Check("plugins", "plugins", "none, only the built-in backends")
    for kind, name in plugin_manager.registry.clashes:
        packages = " and ".join(sorted({entry.package for entry in plugin_manager.registry.clashes[kind, name]}))
        yield Check("plugins", f"{kind} {name}", f"claimed by {packages}", "note", "uninstall one of them")


def engines() -> Iterator[Check]:
    """Yield a check of each backend, with its missing requirements, and of our own ones that are not installed."""
    registry = manager().registry
    names = registry.names("backend")
    for name in names:
        yield _engine(registry.entry("backend", name))
    for (kind, name), package in OWN_PACKAGES.items():
        if kind == "backend" and name not in names:
            yield Check("engines", name, "not installed", "ok", f"pip install {package}, if you want it")


def _engine(entry: RegistryEntry) -> Check:
    try:
        # Backends import their engine when a run starts it, so loading the class is cheap.
        backend = entry.load()
        missing = list(getattr(backend, "missing_requirements", tuple)())
    except (Exception, SystemExit) as error:  # a plugin's module may raise anything, or call sys.exit()
        return Check(
            "engines", entry.name, f"{type(error).__name__}: {error}", "note", f"fix or uninstall {entry.package}"
        )
    if missing:
        return Check(
            "engines", entry.name, f"lacks {'; '.join(missing)}", "note", "as the result says, after the colon"
        )
    return Check("engines", entry.name, "can run here")
