"""Rollouts, the answers that GRPO rewards: by the model in training, or by vLLM with its present weights."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import s3harness
from s3harness_trl.options import GrpoOptions

MEDIA_TOKENS = ("image_token_id", "video_token_id", "audio_token_id", "vision_start_token_id", "audio_start_token_id")
"""Ends of the names that configurations have for them; a start alone already announces features (Qwen2.5-Omni)."""


def check_rollouts(options: GrpoOptions) -> None:
    """Raise :class:`s3harness.UsageError` if vLLM is wanted and what it needs is missing."""
    if options.vllm == "off":
        return
    for module, package in (("vllm", "vllm"), ("s3harness_vllm", "s3harness-vllm")):
        if find_spec(module) is None:
            raise s3harness.UsageError(f"-o vllm={options.vllm}: pip install {package}")


def rollout_arguments(options: GrpoOptions, model_config: Any) -> dict[str, Any]:
    """Arguments of TRL's configuration; :class:`s3harness.UsageError` for options that do not go together."""
    arguments: dict[str, Any] = {
        "generation_kwargs": {"suppress_tokens": media_token_ids(model_config)},
        "vllm_gpu_memory_utilization": options.vllm_memory,
    }
    if options.generation_batch:
        if options.generation_batch % options.batch_size:
            raise s3harness.UsageError(
                f"-o generation_batch={options.generation_batch}: a multiple of batch_size ({options.batch_size}) is "
                "expected"
            )
        arguments["generation_batch_size"] = options.generation_batch
    return arguments


def media_token_ids(model_config: Any) -> list[int]:
    """The tokens that stand for media in a prompt, or start them: one in an answer would have no features."""
    # Some configurations have the names for others of their own, which dir() leaves out.
    names = {*dir(model_config), *getattr(model_config, "attribute_map", {})}
    ids = {getattr(model_config, name) for name in names if name.endswith(MEDIA_TOKENS)}
    return sorted(value for value in ids if isinstance(value, int))
