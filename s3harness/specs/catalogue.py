"""All known task specs and model cards by name: the benchmark's own, then those of plugins.

Listing needs no more than this; a spec is checked when it is used. A task's file is read once per process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from s3harness.errors import PluginError, SpecError
from s3harness.plugins.manager import PluginManager, manager
from s3harness.plugins.registry import BUILTIN, RegistryEntry
from s3harness.specs.document import Document, read_document


@dataclass
class Catalogue:
    """Documents by the task's name, the names of the benchmark's ``own`` tasks, and the problems of plugins' specs."""

    documents: dict[str, Document] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def catalogue() -> Catalogue:
    """The catalogue of this process.

    A plugin's spec that cannot be read, or whose name is taken, is named in ``problems`` and takes nothing else down;
    a name that two plugins claim can be used of neither.
    """
    return _catalogue(manager())


def model_names() -> list[str]:
    """The names of all known model cards: the benchmark's own, then the plugins'."""
    return manager().registry.names("model")


def card_document(name: str) -> Document:
    """Return the card of a registered model as it is written, not checked."""
    path = entry_path(manager().registry.entry("model", name))
    return read_document(path / f"{name}.yaml" if path.is_dir() else path)


def card_source(name: str) -> str:
    """Return the package that a registered card comes from."""
    return manager().registry.entry("model", name).package


def entry_path(entry: RegistryEntry) -> Path:
    """Return the path of a registered model card or directory of task specs."""
    # A plugin may register a path or a function that returns one, for paths known only at run time.
    target = entry.load()
    try:
        return Path(str(target() if callable(target) else target))
    except Exception as error:
        message = f"{entry.kind} {entry.name!r} of package {entry.package!r}: {entry.target}"
        # The function is a plugin's own code, which may raise anything.
        raise PluginError(f"{message}: {type(error).__name__}: {error}") from error


# Keyed by the plugin manager: tests build managers of their own, each with its own catalogue.
@lru_cache(maxsize=1)
def _catalogue(plugins: PluginManager) -> Catalogue:
    result = Catalogue()
    claims: dict[str, list[tuple[RegistryEntry, Document]]] = {}
    for name in plugins.registry.names("task_specs"):
        entry = plugins.registry.entry("task_specs", name)
        for document in _documents(entry, result.problems):
            # A document without a name is listed by its file's, so that tasks validate can report it.
            claims.setdefault(str(document.data.get("name", document.path.stem)), []).append((entry, document))
    for name, claimants in claims.items():
        _settle(name, claimants, result)
    return result


def _documents(entry: RegistryEntry, problems: list[str]) -> Iterator[Document]:
    """Yield the documents of one directory; add to ``problems`` what cannot be read."""
    try:
        paths = sorted((entry_path(entry) / "tasks").glob("*.yaml"))
        if not paths:
            raise PluginError(f"task_specs {entry.name!r}: there is no tasks/*.yaml in its directory")
    except PluginError as error:
        problems.append(f"package {entry.package!r}: {error}")
        return
    for path in paths:
        try:
            yield read_document(path)
        except SpecError as error:
            # A benchmark spec that cannot be read is a broken installation, never a task less.
            if entry.package == BUILTIN:
                raise
            problems.append(f"package {entry.package!r}: {error}")


def _settle(name: str, claimants: list[tuple[RegistryEntry, Document]], result: Catalogue) -> None:
    """Give a name to its only claimant, or to the benchmark among several; of two plugins neither gets it."""
    (first, document), *others = claimants
    # Built-in entries come first in the registry, so that a plugin never takes a name of the benchmark.
    if first.package == BUILTIN:
        # Named with --tasks, but no part of the benchmark that runs and leaderboards hold to be complete.
        if document.data.get("by_default", True):
            result.own.append(name)
        result.problems += [
            f"package {e.package!r}: the task {name!r} is built in; choose another name" for e, _ in others
        ]
    elif others:
        packages = " and ".join(sorted({repr(entry.package) for entry, _ in claimants}))
        result.problems.append(f"the task {name!r} is defined more than once, by {packages}, and cannot be used")
        return
    result.documents[name] = document
