"""Loading of the model that is trained, and saving it in the layout of the checkpoint that it came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import s3harness

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class ModelParts:
    """A model with its processor."""

    model: Any
    processor: Any

    @property
    def takes_video(self) -> bool:
        """True if the processor takes videos; otherwise clips are shown as images."""
        return getattr(self.processor, "video_processor", None) is not None


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
    return ModelParts(model, processor)


def save_parts(parts: ModelParts, directory: Path, source: Path) -> None:
    """Write all files of a checkpoint, in the layout of the one in ``source`` that the model was loaded from.

    Where the model is a part of that checkpoint, as the part that writes is of an omni model, the rest is copied, so
    that every engine loads the result as it loads the original.
    """
    directory.mkdir(parents=True, exist_ok=True)
    parts.model.save_pretrained(directory)
    parts.processor.save_pretrained(directory)
    prefix = "" if (directory / "adapter_config.json").exists() else name_prefix(parts.model, source)
    if prefix:
        _put_back(directory, source, prefix)


def name_prefix(model: Any, source: Path) -> str:
    """Return the beginning of the model's names in the checkpoint of which it is a part; empty if it is the whole."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") == model.config.model_type:
        return ""
    parts = (name for name, value in config.items() if isinstance(value, dict) and _is_of(value, model))
    name = next(parts, "")
    return name.removesuffix("_config") + "." if name else ""


def _is_of(config: dict[str, Any], model: Any) -> bool:
    return bool(config.get("model_type") == model.config.model_type)


def _put_back(directory: Path, source: Path, prefix: str) -> None:
    """Rename the weights as they are in the whole, and add those of its other parts with their configuration."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    weights = {prefix + name: tensor for name, tensor in _weights(directory).items()}
    for path in sorted(source.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            weights |= {name: file.get_tensor(name) for name in file.keys() if not name.startswith(prefix)}  # noqa: SIM118
    for path in directory.glob("model*.safetensors*"):
        path.unlink()
    save_file(weights, directory / WEIGHTS, metadata={"format": "pt"})
    (directory / "config.json").write_bytes((source / "config.json").read_bytes())


def _weights(directory: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    weights: dict[str, Any] = {}
    for path in sorted(directory.glob("model*.safetensors")):
        weights |= load_file(path)
    return weights
