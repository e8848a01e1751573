"""Choice of the importer for a source by its file names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import cast

from s3harness.errors import UsageError
from s3harness.plugins.manager import load, manager

MAX_FILES = 10_000
"""Files of a folder that are looked at for its form."""


def importer_for(source: Path) -> str:
    """Return the name of the importer for a file or folder; :class:`UsageError` if none or several would take it.

    Of the patterns that fit, the one with most letters of its own wins: ``*_events.tsv`` before ``*.tsv``. Patterns
    with a slash are for folders.
    """
    if not source.exists():
        raise UsageError(f"{source} does not exist; name a file or a folder, or an importer and a source")
    names = _names(source)
    scores = {}
    for (kind, name), entry in manager().registry.entries.items():
        patterns = entry.files if kind == "dataset" else ()
        fitting = [len(p.replace("*", "")) for p in patterns if any(_fits(file, p) for file in names)]
        if fitting:
            scores[name] = max(fitting)
    best = [name for name, score in scores.items() if score == max(scores.values())]
    if not best:
        known = ", ".join(manager().registry.names("dataset"))
        raise UsageError(f"no importer takes {source.name}; name one before the source: {known}")
    if len(best) > 1:
        raise UsageError(f"{source.name} can be read by {' and '.join(best)}; name one before the source")
    return best[0]


def _names(source: Path) -> list[str]:
    if source.is_file():
        return [source.name.lower()]
    files = (path for number, path in enumerate(source.rglob("*")) if number < MAX_FILES)
    return [f"{source.name}/{path.name}".lower() for path in files if path.is_file()]


def _fits(name: str, pattern: str) -> bool:
    return ("/" in name) == ("/" in pattern) and fnmatch(name, pattern.lower())


def call_importer(name: str, source: Path, out: Path, options: Mapping[str, object]) -> object:
    """Import a source with an importer, and return what it returns.

    Raises :class:`UsageError` if it does not take an option that is given.
    """
    importer = cast("Callable[..., object]", load("dataset", name))
    parameters = inspect.signature(importer).parameters.values()
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        known = {parameter.name for parameter in parameters}
        for option in options:
            if option not in known:
                raise UsageError(f"the importer {name} takes no --{option.replace('_', '-')}")
    return importer(source, out, **options)
