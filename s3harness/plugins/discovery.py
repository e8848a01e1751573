"""Discovery of the installed packages that bring plugins, from their metadata on ``sys.path``.

``importlib.metadata`` reads the same, but its import alone takes half of the time that ``s3harness --help`` may take.
Packages inside a zip archive on ``sys.path`` are not looked into.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

METADATA = ("METADATA", "PKG-INFO")


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A name and the object that it stands for, ``module`` or ``module:attribute``."""

    name: str
    value: str

    def load(self) -> object:
        """Import the object."""
        module, _, attributes = self.value.partition(":")
        target: object = import_module(module)
        for attribute in filter(None, attributes.split(".")):
            target = getattr(target, attribute)
        return target


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package and its entry points of one group."""

    name: str
    version: str
    entry_points: tuple[EntryPoint, ...]


def packages_with(group: str) -> list[Package]:
    """The packages with entry points of a group, by name; of two versions the first on ``sys.path`` counts."""
    packages: dict[str, Package] = {}
    # sys.path often names a folder twice.
    for folder in dict.fromkeys(sys.path):
        # An empty entry of sys.path means the working directory.
        for info in _metadata_folders(folder or os.curdir):
            lines = _section(_read(info, "entry_points.txt"), group)
            if lines:
                name, version = _identity(info)
                # Extras in brackets after the target are obsolete, but still allowed by the specification.
                points = tuple(EntryPoint(*map(str.strip, line.split("[")[0].split("=", 1))) for line in lines)
                # The first on the path is the one that an import would find.
                packages.setdefault(normalised(name), Package(name, version, points))
    return [packages[name] for name in sorted(packages)]


def normalised(name: str) -> str:
    """A package's name as the package index compares it."""
    return "-".join(filter(None, name.lower().replace("_", "-").replace(".", "-").split("-")))


def _metadata_folders(folder: str) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 (many thousands of names, and only their ends matter)
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            yield Path(folder, name)


def _section(text: str, group: str) -> list[str]:
    """The ``name = value`` lines of one section of an ``entry_points.txt``."""
    # Most packages have no section of ours: looking for its name is cheaper than walking through the lines.
    lines, inside = [], False
    for line in map(str.strip, text.splitlines()) if f"[{group}]" in text else ():
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            lines.append(line)
    return lines


def _identity(info: Path) -> tuple[str, str]:
    """Name and version, from the head of the metadata, or else from the folder's name."""
    # Up to the first empty line: the description after it may have lines that look like fields.
    head = next(filter(None, (_read(info, name) for name in METADATA)), "").replace("\r\n", "\n").partition("\n\n")[0]
    fields = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
    # An old .egg-info may be a single file, in which nothing can be looked up.
    name, _, version = info.stem.partition("-")
    return fields.get("name") or name, fields.get("version") or version


def _read(info: Path, name: str) -> str:
    try:
        return Path(info, name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
