"""What is installed, what can run here, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s3harness.doctor.check import Check, State

__all__ = ["Check", "State", "examine"]


def examine(cache: Path, out: Path) -> list[Check]:
    """Look at this machine: Python and packages, plugins and engines, hardware, media, room and network.

    ``cache`` and ``out`` are where frames and runs would be kept; neither is made. Imports no engine, and connects to
    nothing. Takes about a second.
    """
    from concurrent.futures import ThreadPoolExecutor

    from s3harness.doctor import engines, machine, media, network, packages

    with ThreadPoolExecutor() as pool:
        gpus = pool.submit(machine.gpus)  # a driver may take its time to say what there is
        found = [*machine.python(), *packages.requirements(), *engines.plugins(), *engines.engines()]
        found += [*media.libraries(), *machine.room(cache, out), *machine.memory(), *network.variables()]
        return _sorted([*found, *gpus.result()])


def _sorted(checks: Sequence[Check]) -> list[Check]:
    """The checks, those of an area together, in the order of the areas."""
    areas = ("python", "packages", "plugins", "engines", "gpu", "media", "room", "memory", "network")
    return sorted(checks, key=lambda check: areas.index(check.area))
