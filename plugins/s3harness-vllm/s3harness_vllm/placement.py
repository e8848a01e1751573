"""The GPUs of a machine put to use: as many to an engine as the card hints at, and as many engines as then fit."""

from __future__ import annotations

from collections.abc import Mapping

OTHER_PLACEMENTS = ("data_parallel_size", "data_parallel_rank", "data_parallel_size_local", "nnodes")
"""Arguments by which a user places engines; the harness then places none."""


def placement(engine: Mapping[str, object], hinted_gpus: int | None, gpus: int) -> dict[str, int]:
    """The engine arguments that use all GPUs; ``gpus`` is 0 on a machine without any.

    ``hinted_gpus`` is the card's number of GPUs for an engine, ``None`` where the user named one.
    """
    placed = {} if hinted_gpus is None else {"tensor_parallel_size": fitting_gpus(hinted_gpus, gpus)}
    if not any(name in engine for name in OTHER_PLACEMENTS):
        placed["data_parallel_size"] = max(1, gpus // gpus_per_engine({**engine, **placed}))
    return placed


def fitting_gpus(hint: int, gpus: int) -> int:
    """The largest divisor of ``hint`` that is at most the number of GPUs; 1 without any."""
    # A divisor, because attention heads that divide by the card's number of GPUs divide by it as well.
    return max(n for n in range(1, hint + 1) if hint % n == 0 and n <= max(gpus, 1))


def gpus_per_engine(engine: Mapping[str, object]) -> int:
    """The GPUs over which one engine spreads."""
    return _size(engine, "tensor_parallel_size") * _size(engine, "pipeline_parallel_size")


def describe_placement(engine: Mapping[str, object], gpus: int) -> str:
    """Describe how many of a machine's GPUs are used, and how to use those that are not."""
    engines, each = _size(engine, "data_parallel_size"), gpus_per_engine(engine)
    idle = gpus - engines * each
    text = f"1 engine on {each} of {gpus} GPUs"
    if engines > 1:
        text = f"{engines} engines on {each} of {gpus} GPUs each, which share the clips among them"
    return f"{text}; {idle} idle: -o tensor_parallel_size=N or -o data_parallel_size=N" if idle > 0 else text


def _size(engine: Mapping[str, object], name: str) -> int:
    return int(str(engine.get(name) or 1))
