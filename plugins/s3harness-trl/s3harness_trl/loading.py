"""The model in training and its processor."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import s3harness


@dataclass(frozen=True)
class ModelParts:
    """A model with its processor."""

    model: Any
    processor: Any

    @property
    def inner(self) -> Any:
        """The module with ``get_image_features``, which encodes images as tokens."""
        # peft wraps the model, and some classes have the method on the model inside of the one with the head.
        model = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        return model if hasattr(model, "get_image_features") else model.model

    @property
    def vision(self) -> Any:
        """The vision part, including the projection to the language model."""
        inner = getattr(self.inner, "model", self.inner)
        # transformers has no common name for it.
        for name in ("visual", "vision_tower", "vision_model"):
            if hasattr(inner, name):
                return getattr(inner, name)
        raise s3harness.UsageError(f"{type(self.model).__name__} has no vision part that is known by its name")

    @property
    def image_inputs(self) -> frozenset[str]:
        """Names of the arguments of ``get_image_features``."""
        return frozenset(inspect.signature(self.inner.get_image_features).parameters)


def load_parts(directory: Path, *, dtype: str = "float32", trust_remote_code: bool = False) -> ModelParts:
    """Load model and processor from a directory; :class:`s3harness.UsageError` names what is missing there."""
    from s3harness_transformers.loading import auto_class, load_processor

    if not (directory / "config.json").is_file():
        raise s3harness.UsageError(
            f"--model {directory}: there is no config.json; a directory is expected as save_pretrained writes"
        )
    source = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    try:
        config, processor = load_processor(str(directory), source)
        model = auto_class(config).from_pretrained(directory, config=config, dtype=dtype, **source)
    # AttributeError: AutoProcessor returns a bare tokenizer or image processor where that is all there is.
    except (OSError, ValueError, AttributeError) as error:
        raise s3harness.UsageError(f"--model {directory}: model and processor cannot be loaded: {error}") from error
    if getattr(processor, "image_processor", None) is None:
        raise s3harness.UsageError(
            f"--model {directory}: its processor takes no images, and TRL shows frames as images"
        )
    return ModelParts(model, processor)


def save_parts(parts: ModelParts, directory: Path) -> None:
    """Write all files of a checkpoint."""
    directory.mkdir(parents=True, exist_ok=True)
    parts.model.save_pretrained(directory)
    parts.processor.save_pretrained(directory)
