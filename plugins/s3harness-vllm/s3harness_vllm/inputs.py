"""The tokens and tensors that vLLM hands to its model for a request, as :class:`s3harness.ModelInputs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import s3harness

WHOLE = {"mm_processor_cache_gb": 0, "mm_device_do_normalize": False, "dtype": "float32"}
"""Engine arguments with which a renderer returns all tensors, also cached ones, before they are rounded to a type."""

_NAMES = {
    "pixel_values_videos": "pixels",
    "pixel_values": "pixels",
    "pixel_values_flat": "pixels",
    "pixel_values_flat_video": "pixels",
    "video_grid_thw": "grid",
    "image_grid_thw": "grid",
    "second_per_grid_ts": "seconds_per_grid_step",
    "video_second_per_grid": "seconds_per_grid_step",
    "input_audio_features": "audio_features",
    "input_features": "audio_features",
}


def whole_renderer(arguments: Mapping[str, object]) -> Any:
    """A renderer like that of an engine with these arguments, which leaves no tensor to the engine's cache."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.renderers import renderer_from_config

    untyped: dict[str, Any] = {**arguments, **WHOLE}
    return renderer_from_config(AsyncEngineArgs(**untyped).create_engine_config())


def model_inputs(prompt: Mapping[str, Any], tokenizer: Any) -> s3harness.ModelInputs:
    """The inputs in a rendered prompt; several pictures of a clip follow one another."""
    import torch

    parts: dict[str, list[Any]] = {}
    for kind in (prompt.get("mm_kwargs") or {}).values():
        for item in kind:
            for name, element in item.items():
                if name in _NAMES:
                    values = torch.as_tensor(element.data).cpu().float()
                    heard = item.get("feature_attention_mask") if name == "input_features" else None
                    values = values if heard is None else _heard(values, torch.as_tensor(heard.data))
                    parts.setdefault(_NAMES[name], []).append(values)
    arrays = {name: torch.cat([one.reshape(1, *one.shape) for one in ones]).numpy() for name, ones in parts.items()}
    ids = tuple(int(token) for token in prompt["prompt_token_ids"])
    return s3harness.ModelInputs(token_ids=ids, arrays=arrays, text=str(tokenizer.decode(ids)))


def _heard(features: Any, mask: Any) -> Any:
    """Features of sound in one window, without their padding."""
    is_one = features.dim() == 3 and features.shape[0] == 1
    return features[0, :, : int(mask.sum())] if is_one else features
