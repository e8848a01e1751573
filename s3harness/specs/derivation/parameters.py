"""The number of parameters of a checkpoint, by the headers of its weights or by their index; no weight is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.files import parse_json
from s3harness.specs.derivation.checkpoint import CONFIG, INDEX, Checkpoint, Fact

MAX_HEADER_BYTES = 100_000_000
"""Bytes of the header of a file of safetensors at most, as its own library has it."""

BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}


def parameters_b(checkpoint: Checkpoint) -> Fact | None:
    """Return the parameters in 1e9, ``None`` if neither headers nor index tell."""
    # Of quantised weights several stand in one number.
    if checkpoint.files[CONFIG].has("quantization_config"):
        return None
    paths = sorted(checkpoint.directory.glob("*.safetensors"))
    try:
        if count := sum(map(_parameters_of, paths)):
            return Fact(round(count / 1e9, 9), "the headers of its weights")
    # A damaged file is the engine's to report; without it the card only lacks a number.
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _by_index(checkpoint)


def _parameters_of(path: Path) -> int:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER_BYTES:
            raise ValueError("the header is too long")
        header: Mapping[str, Any] = parse_json(file.read(length))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _by_index(checkpoint: Checkpoint) -> Fact | None:
    index = checkpoint.files.get(INDEX)
    sizes = index.part("metadata") if index is not None else None
    config = checkpoint.files[CONFIG]
    dtype = config.data.get("dtype") or config.data.get("torch_dtype")
    if sizes is None or not isinstance(dtype, str) or dtype not in BYTES:
        return None
    n_bytes = sizes.data.get("total_size")
    # Transformers writes a whole number, some other tools a float.
    if not isinstance(n_bytes, int | float) or not 0 < n_bytes < 1e14:
        return None
    return Fact(round(n_bytes / BYTES[dtype] / 1e9, 9), sizes.source("total_size"))
