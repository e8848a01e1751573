"""Weights in a directory of this machine, instead of those that a model card names on the hub.

A run's manifest identifies them by a hash of their files, never by their path.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.errors import UsageError

if TYPE_CHECKING:
    from s3harness.specs.model_card import ModelCard

CONFIG = "config.json"
WHOLE_BYTES = 1 << 20
"""A file of at most this size is hashed whole; of a larger one, parts that lie evenly over it."""

PARTS = 64
PART_BYTES = 1 << 14


def with_weights(model: ModelCard, directory: Path) -> ModelCard:
    """Return the card with the weights of a directory in place of its own.

    Raises :class:`UsageError` if the directory holds no model in the format of transformers.
    """
    if not (directory / CONFIG).is_file():
        raise UsageError(
            f"--weights {directory}: there is no {CONFIG}; a directory written by save_pretrained is expected"
        )
    return replace(model, weights=str(directory.resolve()), revision=None, weights_id=weights_id(directory))


def weights_id(directory: Path) -> str:
    """Return ``local:`` and a hash of the names, sizes and content of a model's files."""
    # Of a large file 1 MiB is read, in 64 places: retrained weights of the same shape differ in all of them, and
    # hashing 16 GB whole would take a minute at each start.
    content = hashlib.sha256()
    # Hidden files, such as caches of the hub, come and go without changing the model.
    for path in sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")):
        content.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        _read_into(content, path)
    return f"local:{content.hexdigest()[:16]}"


def _read_into(content: hashlib._Hash, path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            content.update(file.read())
            return
        for part in range(PARTS):
            # The last part ends at the end of the file, so that an appended tensor shows.
            file.seek(part * (size - PART_BYTES) // (PARTS - 1))
            content.update(file.read(PART_BYTES))
