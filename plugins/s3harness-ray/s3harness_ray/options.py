"""What a user can say of the executor (``-x KEY=VALUE``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import s3harness


@dataclass(frozen=True, slots=True)
class RayOptions:
    """``workers`` engines (0: one for each GPU, or two where there is none), each with ``gpus`` and ``cpus`` to itself.

    ``gpus`` -1 is one where the cluster has any. ``address`` is that of a running cluster, or ``auto`` for the one that
    runs here; without it Ray is started on this machine and stopped again. A worker that is lost is replaced at most
    ``restarts`` times in a run.
    """

    workers: int = 0
    gpus: float = -1
    cpus: float = 0.5
    address: str = ""
    restarts: int = 3

    def __post_init__(self) -> None:
        for name, kind, least in (
            ("workers", int, 0),
            ("restarts", int, 0),
            ("gpus", (int, float), -1),
            ("cpus", (int, float), 0),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kind) or not least <= value < float("inf"):
                raise s3harness.UsageError(f"-x {name}={value}: a number from {least} is expected")
        if not isinstance(self.address, str):
            raise s3harness.UsageError(
                f"-x address={self.address}: an address like 10.0.0.1:6379, or auto, is expected"
            )

    @classmethod
    def of(cls, said: Mapping[str, object]) -> RayOptions:
        """The options that a user said; :class:`s3harness.UsageError` for one that there is not."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(said.keys() - set(known))
        if unknown:
            raise s3harness.UsageError(
                f"the ray executor has no option {', '.join(unknown)}; it has {', '.join(known)}"
            )
        return cls(**said)  # type: ignore[arg-type]
