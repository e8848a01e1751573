"""Checks of this machine for ``s3harness doctor``: installed packages, engines, hardware, media, disk and network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from s3harness.doctor.check import Check, State

__all__ = ["Check", "State", "examine"]


def examine(cache: Path, out: Path) -> list[Check]:
    """Check this machine: Python and packages, plugins and engines, hardware, media, room and network.

    ``cache`` and ``out`` are the directories of frames and runs; neither is made. No engine is imported and no
    connection is made. Takes about a second.
    """
    from concurrent.futures import ThreadPoolExecutor

    from s3harness.doctor import engines, machine, media, network, packages

    with ThreadPoolExecutor() as pool:
        # In a thread: nvidia-smi can take seconds to initialise the driver.
        gpus = pool.submit(machine.gpus)
        checks = [*machine.python(), *packages.requirements(), *engines.plugins(), *engines.engines()]
        checks += [*media.libraries(), *machine.room(cache, out), *machine.memory(), *network.variables()]
        return _sorted([*checks, *gpus.result()])


def _sorted(checks: Sequence[Check]) -> list[Check]:
    """Sort the checks by area."""
    areas = ("python", "packages", "plugins", "engines", "gpu", "media", "room", "memory", "network")
    return sorted(checks, key=lambda check: areas.index(check.area))
