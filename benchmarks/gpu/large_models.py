"""Checkpoints as large as released ones, without weights: with ``load_format=dummy`` vLLM fills in random numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEXT_7B = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "vocab_size": 152064,
    "max_position_embeddings": 128000,
    "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6},
}
"""Qwen2.5-7B, from the released config.json of Qwen2.5-VL-7B."""

VISION = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "patch_size": 14}
VISION |= {"out_hidden_size": 3584, "fullatt_block_indexes": [7, 15, 23, 31], "window_size": 112}
"""The encoder of Qwen2.5-VL-7B and Qwen2.5-Omni-7B, from their released config.json."""

AUDIO = {"d_model": 1280, "encoder_layers": 32, "encoder_attention_heads": 20, "encoder_ffn_dim": 5120}
AUDIO |= {"output_dim": 3584, "num_mel_bins": 128}
"""The audio encoder of Qwen2.5-Omni-7B (Whisper large), from its released config.json."""

Sizes = Mapping[str, Mapping[str, Any]]

MODELS: Mapping[str, tuple[str, Sizes]] = {
    "qwen2.5-vl-7b": ("qwen2.5-vl", {"text_config": TEXT_7B, "vision_config": VISION}),
    "qwen2.5-omni-7b": ("qwen2.5-omni", {"text_config": TEXT_7B, "vision_config": VISION, "audio_config": AUDIO}),
}
"""Model card → the family of its tiny model, and the sizes of the released one."""


def save_checkpoint(card: str, directory: Path, *, tiny: bool) -> Path:
    """Save processor, tokenizer and the configuration of a model as large as the released one; return the directory.

    With ``tiny`` the model stays tiny, to try the benchmark where there is no GPU.
    """
    from s3harness_transformers.tiny import tiny_model

    family, sizes = MODELS[card]
    tiny_model(family, directory)
    if not tiny:
        path = directory / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        enlarge(config, sizes)
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        # Weights of the tiny shape would only be in the way.
        (directory / "model.safetensors").unlink()
    return directory


def enlarge(config: dict[str, Any], sizes: Sizes) -> None:
    """Put the sizes into a configuration, at whatever depth its parts stand (Omni's are in ``thinker_config``)."""
    for name, value in config.items():
        if isinstance(value, dict):
            if name in sizes:
                value.update({key: size for key, size in sizes[name].items() if key in value or key == "head_dim"})
                # One entry for each layer; the class makes it anew from the number of layers.
                value.pop("layer_types", None)
            enlarge(value, sizes)
    if "vocab_size" in config and "text_config" in config:
        config["vocab_size"] = TEXT_7B["vocab_size"]
    if "dtype" in config:
        config["dtype"] = "bfloat16"
