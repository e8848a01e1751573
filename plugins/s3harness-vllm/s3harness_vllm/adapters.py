"""LoRA adapters as peft saves them: what the engine has to be told of one, and what names it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import s3harness

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM makes room for."""


def with_adapter(adapter: Path, said: Mapping[str, object]) -> dict[str, object]:
    """What the engine is started with for an adapter; room for its rank, unless the user said for which."""
    try:
        rank = int(s3harness.parse_json((adapter / CONFIG).read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise s3harness.UsageError(f"-o adapter: no rank r can be read from its {CONFIG}: {error}") from error
    room = next((known for known in RANKS if known >= rank), rank)
    return {"enable_lora": True, "max_lora_rank": said.get("max_lora_rank", room)}


def lora_request(adapter: Path | None) -> Any:
    """The adapter as requests to the engine name it."""
    if adapter is None:
        return None
    from vllm.lora.request import LoRARequest

    return LoRARequest("adapter", 1, str(adapter))


def adapter_id(adapter: Path) -> str:
    """A hash of what an adapter is: its configuration and its weights."""
    found = hashlib.sha256()
    for name in (CONFIG, *WEIGHTS):
        if (adapter / name).is_file():
            found.update(name.encode() + (adapter / name).read_bytes())
    return f"local:{found.hexdigest()[:16]}"
