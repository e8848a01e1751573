"""Options of the executor (``-x name=value``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from s3harness import options


@dataclass(frozen=True, slots=True, kw_only=True)
class RayOptions:
    """``workers`` engines (0: one for each GPU, or two where there is none), each with ``gpus`` and ``cpus`` to itself.

    ``gpus`` -1 is one where the cluster has any. ``address`` is that of a running cluster, or ``auto`` for the one that
    runs on this machine; without it Ray is started here and stopped again. A lost worker is replaced at most
    ``restarts`` times in a run.
    """

    workers: Annotated[int, options.whole(0)] = 0
    gpus: Annotated[float, options.number(-1)] = -1
    cpus: Annotated[float, options.number(0)] = 0.5
    address: str = ""
    restarts: Annotated[int, options.whole(0)] = 3

    @classmethod
    def of(cls, values: Mapping[str, object]) -> RayOptions:
        """Read options; raise :class:`s3harness.UsageError` for an unknown name or a wrong value."""
        return options.read_options(cls, "the ray executor", values)
