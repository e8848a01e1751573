"""LoRA adapters as peft saves them: loaded by vLLM where it applies all of their layers, else merged into the weights.

vLLM ignores layers of an adapter for which it has no wrapper, without an error: those of the vision and audio parts,
unless ``enable_tower_connector_lora`` is set and the model's class has it. So its workers are asked what they apply.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import s3harness
from s3harness_vllm.worker_extension import METHOD, AdapterInspection

if TYPE_CHECKING:
    from vllm.v1.engine.async_llm import AsyncLLM

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
LORA_ARGUMENTS = ("enable_lora", "max_lora_rank", "worker_extension_cls", "enable_tower_connector_lora")

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
    return {
        "enable_lora": True,
        "max_lora_rank": user_arguments.get("max_lora_rank", max_rank),
        "worker_extension_cls": f"{AdapterInspection.__module__}.{AdapterInspection.__qualname__}",
    }


def lora_request(adapter: Path) -> Any:
    """The ``LoRARequest`` of an adapter, to send along with each request."""
    from vllm.lora.request import LoRARequest

    # The id is any number above 0: one engine has one adapter here.
    return LoRARequest("adapter", 1, str(adapter))


def reason_to_merge(adapter: Path) -> str:
    """Return why vLLM cannot apply an adapter as it is, by its files alone; empty if it may."""
    # Layers that were trained whole, biases and the magnitudes of DoRA: vLLM applies the factors A and B alone.
    others = [name for name in _tensor_names(adapter / ADAPTER_WEIGHTS) if not _is_lora_factor(name)]
    return f"it has tensors that are no LoRA factors, such as {others[0]}" if others else ""


def reason_without_lora(engine: Mapping[str, object]) -> str:
    """Return why vLLM runs no adapter at all beside the weights of a model; empty if it may."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.model_executor.model_loader import get_model_architecture
    from vllm.model_executor.models.interfaces import supports_lora
    from vllm.platforms import current_platform

    untyped: dict[str, Any] = {**engine}
    config = AsyncEngineArgs(**untyped).create_model_config()
    architecture, _ = get_model_architecture(config)
    if not supports_lora(architecture):
        return "vLLM has no LoRA for this architecture"
    # vLLM 0.32: experts with LoRA are run by Triton, which is not for CPUs; the engine would end at its first request.
    if current_platform.is_cpu() and config.is_moe:
        return "vLLM has no LoRA for a mixture of experts on a CPU"
    return ""


async def load_adapter(engine: AsyncLLM, adapter: Path) -> str:
    """Load an adapter into an engine; return why the engine does not apply it whole, empty if it does."""
    try:
        await engine.add_lora(lora_request(adapter))
        unused = await engine.collective_rpc(METHOD)
    except Exception as error:
        # The last line, as vLLM may send a traceback along; without the path, which notes must not name.
        return (str(error).strip() or type(error).__name__).splitlines()[-1].replace(str(adapter), "it")[:300]
    # With pipeline parallelism each worker has some of the layers: those that no worker has are not applied.
    layers = set.intersection(*map(set, unused)) if unused else set()
    return f"it has no place for {len(layers)} of its layers, such as {min(layers)}" if layers else ""


async def merge_adapter(model: s3harness.ModelCard, adapter: Path, folder: Path, *, trust_remote_code: bool) -> None:
    """Write a copy of a model's weights with an adapter merged into them to an empty folder.

    It runs in a process of its own, which is killed if the run is stopped. Raises :class:`s3harness.UsageError` if the
    adapter cannot be merged.
    """
    missing = [name for name in ("s3harness_transformers", "peft") if find_spec(name) is None]
    if missing:
        raise s3harness.UsageError(f"merging it needs {', '.join(missing)}: pip install s3harness-transformers peft")
    job = {
        "weights": str(model.weights),
        "revision": model.revision,
        "adapter": str(adapter),
        "folder": str(folder),
        "trust_remote_code": trust_remote_code,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "s3harness_vllm.merging", json.dumps(job), stderr=asyncio.subprocess.PIPE
    )
    try:
        _, output = await process.communicate()
    except BaseException:
        process.kill()
        raise
    if process.returncode:
        lines = output.decode(errors="replace").strip().splitlines()
        free_gb = shutil.disk_usage(folder).free / 1e9
        reason = lines[-1] if lines else f"exit code {process.returncode}"
        raise s3harness.UsageError(f"it cannot be merged: {reason} ({free_gb:.0f} GB are free for the copy)")


def _is_lora_factor(name: str) -> bool:
    return any(f".lora_{part}" in name for part in ("A", "B", "embedding_A", "embedding_B"))


def _tensor_names(path: Path) -> list[str]:
    """Return the names of the tensors in a file of safetensors; none if there is no such file."""
    if not path.is_file():
        return []
    # The format: the length of the header in 8 bytes, then the header as JSON. Nothing heavy is imported for it.
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return [name for name in header if name != "__metadata__"]
