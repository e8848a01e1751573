"""LoRA adapters, loaded by peft."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import s3harness

WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")


def with_adapter(model: Any, directory: Path) -> Any:
    """The model with an adapter, all of which fits it; :class:`s3harness.UsageError` if it does not."""
    if find_spec("peft") is None:
        raise s3harness.UsageError("-o adapter needs peft: pip install peft")
    from peft import PeftConfig, PeftModel

    try:
        adapted = PeftModel(model, PeftConfig.from_pretrained(str(directory)))
        found = adapted.load_adapter(str(directory), "default", is_trainable=False)
    except (ValueError, RuntimeError, OSError) as error:
        raise s3harness.UsageError(f"-o adapter: it does not fit this model: {str(error).splitlines()[0]}") from error
    unplaced = list(found.unexpected_keys)
    unfilled = [name for name in found.missing_keys if "lora_" in name or "modules_to_save" in name]
    if unplaced or unfilled:
        raise s3harness.UsageError(
            f"-o adapter: it does not fit this model: {len(unplaced)} of its tensors have no place in it, and "
            f"{len(unfilled)} places none ({(unplaced or unfilled)[0]}); was it trained on another architecture?"
        )
    return adapted


def adapter_id(directory: Path) -> str:
    """A hash of what an adapter is: its configuration and its weights."""
    found = hashlib.sha256()
    for name in ("adapter_config.json", *WEIGHTS):
        if (directory / name).is_file():
            found.update(name.encode() + (directory / name).read_bytes())
    return f"local:{found.hexdigest()[:16]}"
