"""LoRA adapters, loaded by peft."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import s3harness

ADAPTER_CONFIG = "adapter_config.json"


def load_adapter(model: Any, directory: Path) -> Any:
    """Return the model with an adapter; :class:`s3harness.UsageError` if a part of the adapter does not fit it."""
    if find_spec("peft") is None:
        raise s3harness.UsageError("-o adapter needs peft: pip install peft")
    from peft import PeftConfig, PeftModel

    try:
        # Not PeftModel.from_pretrained, which warns of missing tensors and does not return what did not fit.
        adapted = PeftModel(model, PeftConfig.from_pretrained(str(directory)))
        result = adapted.load_adapter(str(directory), "default", is_trainable=False)
    except (ValueError, RuntimeError, OSError) as error:
        raise s3harness.UsageError(f"-o adapter: it does not fit this model: {str(error).splitlines()[0]}") from error
    unexpected = list(result.unexpected_keys)
    # Some versions of peft count the base model's own weights as missing.
    missing = [name for name in result.missing_keys if "lora_" in name or "modules_to_save" in name]
    if unexpected or missing:
        example = (unexpected or missing)[0]
        raise s3harness.UsageError(
            f"-o adapter: it does not fit this model: {len(unexpected)} of its tensors are unknown to the model, and "
            f"{len(missing)} are missing (such as {example}); was it trained on another architecture?"
        )
    return adapted
