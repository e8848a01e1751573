"""The plugins that are installed, and which engines can run here."""

from __future__ import annotations

from collections.abc import Iterator

from s3harness.doctor.check import Check
from s3harness.plugins.known_packages import OWN_PACKAGES
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import BUILTIN, RegistryEntry


def plugins() -> Iterator[Check]:
    """Every plugin, and what is wrong with those that are broken."""
    found = manager()
    others = [plugin for plugin in found.plugins if plugin.package != BUILTIN]
    for plugin in others:
        remedy = f"upgrade {plugin.package}, or pip uninstall it: what it brings cannot be used" if plugin.error else ""
        said = f"{plugin.version}{f': {plugin.error}' if plugin.error else ''}"
        yield Check("plugins", plugin.package, said, "note" if plugin.error else "ok", remedy)
    if not others:
        yield Check("plugins", "plugins", "none: the built-in backends alone")
    for kind, name in found.registry.clashes:
        packages = " and ".join(sorted({entry.package for entry in found.registry.clashes[kind, name]}))
        yield Check("plugins", f"{kind} {name}", f"claimed by {packages}", "note", "uninstall one of them")


def engines() -> Iterator[Check]:
    """Every backend: whether it can run here, and what it lacks."""
    registry = manager().registry
    names = registry.names("backend")
    for name in names:
        yield _engine(registry.entry("backend", name))
    for (kind, name), package in OWN_PACKAGES.items():
        if kind == "backend" and name not in names:
            yield Check("engines", name, "not installed", "ok", f"pip install {package}, if you want it")


def _engine(entry: RegistryEntry) -> Check:
    try:
        backend = entry.load()
        lacks = list(getattr(backend, "lacks", tuple)())
    except (Exception, SystemExit) as error:
        return Check(
            "engines", entry.name, f"{type(error).__name__}: {error}", "note", f"mend or remove {entry.package}"
        )
    if lacks:
        return Check("engines", entry.name, f"lacks {'; '.join(lacks)}", "note", "what follows the colon")
    return Check("engines", entry.name, "can run here")
