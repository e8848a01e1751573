"""The model in training and its processor."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import s3harness


@dataclass(frozen=True)
class Parts:
    """A model with its processor."""

    model: Any
    processor: Any

    @property
    def inner(self) -> Any:
        """What makes pictures into tokens."""
        holder = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        return holder if hasattr(holder, "get_image_features") else holder.model

    @property
    def vision(self) -> Any:
        """The vision part, with what fits its tokens to the language model."""
        inner = getattr(self.inner, "model", self.inner)
        for name in ("visual", "vision_tower", "vision_model"):
            if hasattr(inner, name):
                return getattr(inner, name)
        raise s3harness.UsageError(f"{type(self.model).__name__} has no vision part that is known by its name")

    @property
    def image_inputs(self) -> frozenset[str]:
        """The names of what the vision part takes."""
        return frozenset(inspect.signature(self.inner.get_image_features).parameters)


def load_parts(directory: Path, *, dtype: str = "float32", trust_remote_code: bool = False) -> Parts:
    """Model and processor of a directory; :class:`s3harness.UsageError` names what is missing there."""
    from s3harness_transformers.loading import class_of, read_processor

    if not (directory / "config.json").is_file():
        raise s3harness.UsageError(
            f"--model {directory}: there is no config.json; a directory is expected as save_pretrained writes"
        )
    source = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    try:
        config, processor = read_processor(str(directory), source)
        model = class_of(config).from_pretrained(directory, config=config, dtype=dtype, **source)
    except (OSError, ValueError, AttributeError) as error:
        raise s3harness.UsageError(f"--model {directory}: model and processor cannot be loaded: {error}") from error
    if getattr(processor, "image_processor", None) is None:
        raise s3harness.UsageError(
            f"--model {directory}: its processor takes no images, and TRL shows frames as images"
        )
    return Parts(model, processor)


def save_parts(parts: Parts, directory: Path) -> None:
    """Write all files of a checkpoint."""
    directory.mkdir(parents=True, exist_ok=True)
    parts.model.save_pretrained(directory)
    parts.processor.save_pretrained(directory)
