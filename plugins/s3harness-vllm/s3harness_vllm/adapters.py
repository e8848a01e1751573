"""LoRA adapters as peft saves them: the engine arguments and the request they need, and the hash that names them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import s3harness

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The values that vLLM 0.32 accepts for ``max_lora_rank``."""


def adapter_arguments(adapter: Path, user_arguments: Mapping[str, object]) -> dict[str, object]:
    """Engine arguments for an adapter: LoRA switched on, and a maximal rank that holds it unless the user chose one."""
    try:
        rank = int(s3harness.parse_json((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise s3harness.UsageError(f"-o adapter: cannot read the rank r from its {ADAPTER_CONFIG}: {error}") from error
    # A rank beyond the largest is passed on as it is, so that vLLM's own error names it.
    max_rank = next((allowed for allowed in RANKS if allowed >= rank), rank)
    return {"enable_lora": True, "max_lora_rank": user_arguments.get("max_lora_rank", max_rank)}


def lora_request(adapter: Path | None) -> Any:
    """The ``LoRARequest`` of an adapter, to send along with each request; ``None`` without an adapter."""
    if adapter is None:
        return None
    from vllm.lora.request import LoRARequest

    # The id is any number above 0: one engine has one adapter here.
    return LoRARequest("adapter", 1, str(adapter))


def adapter_id(adapter: Path) -> str:
    """``local:`` and the first 16 hexadecimal digits of a hash of the adapter's configuration and weights."""
    # The manifest names an adapter by its content: a path would tell about the machine and not about the adapter.
    digest = hashlib.sha256()
    for name in (ADAPTER_CONFIG, *ADAPTER_WEIGHTS):
        if (adapter / name).is_file():
            digest.update(name.encode() + (adapter / name).read_bytes())
    return f"local:{digest.hexdigest()[:16]}"
