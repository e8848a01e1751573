"""Sizes of a model from its configuration alone: its weights by part, and the widths that activations depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import s3harness
from s3harness_trl.parts import TOWERS, tower_modules, tower_weights


@dataclass(frozen=True, kw_only=True)
class ModelSizes:
    """``weights`` by part (language, vision, audio), and the sizes of the language model.

    ``adapter_widths`` are by part the inputs and outputs of its linear layers, added up: an adapter of rank r has r
    times as many weights. ``layer_weights`` are those of its largest layer, ``active`` those that one token passes: of
    a mixture of experts, a part.
    """

    weights: Mapping[str, int]
    adapter_widths: Mapping[str, int]
    active: int
    layer_weights: int
    layers: int
    hidden: int
    intermediate: int
    kv_width: int
    vocabulary: int

    @property
    def total(self) -> int:
        """All weights."""
        return sum(self.weights.values())


def sizes_of(model: Any) -> ModelSizes:
    """Return the sizes of a model, which may be without numbers (on torch's meta device)."""
    towers = {tower: sum(weight.numel() for weight in tower_weights(model, tower)) for tower in TOWERS}
    widths: dict[str, int] = {
        tower: sum(_adapter_widths(inner) for module in tower_modules(model, tower) for inner in module.modules())
        for tower in TOWERS
    }
    all_widths = sum(map(_adapter_widths, model.modules())) - _adapter_widths(model.get_output_embeddings())
    total = sum(weight.numel() for weight in model.parameters())
    config = model.config.get_text_config()
    layers = model.get_decoder().layers
    layer_weights = max(sum(weight.numel() for weight in layer.parameters()) for layer in layers)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return ModelSizes(
        weights={"language": total - sum(towers.values()), **{name: count for name, count in towers.items() if count}},
        adapter_widths={"language": all_widths - sum(widths.values()), **widths},
        active=total - sum(towers.values()) - _idle_experts(config, layers),
        layer_weights=layer_weights,
        layers=len(layers),
        hidden=config.hidden_size,
        intermediate=_intermediate(config),
        kv_width=config.num_key_value_heads * head_dim,
        vocabulary=config.vocab_size,
    )


def empty_model(directory: Path | None, card: s3harness.ModelCard, *, trust_remote_code: bool = False) -> ModelSizes:
    """Return the sizes of the model in a directory, or of the card's where the hub's cache has it; no weights are read.

    Raises :class:`s3harness.UsageError` if there is no configuration.
    """
    import torch
    from s3harness_transformers.loading import auto_class
    from transformers import AutoConfig

    try:
        # Offline: a plan asks no server.
        config = AutoConfig.from_pretrained(
            str(directory or card.weights), trust_remote_code=trust_remote_code, local_files_only=True
        )
    except (OSError, ValueError) as error:
        place = f"--model {directory}" if directory else card.name
        raise s3harness.UsageError(
            f"{place}: its configuration is not on this machine; name a directory with its config.json (--model DIR), "
            "which needs no weights"
        ) from error
    # Omni models of Qwen: a talker, which is not trained, speaks what the thinker writes.
    config = getattr(config, "thinker_config", config)
    with torch.device("meta"):
        model = auto_class(config).from_config(config)
    return sizes_of(model)


def _adapter_widths(module: Any) -> int:
    from torch.nn import Linear

    return module.in_features + module.out_features if isinstance(module, Linear) else 0


def _intermediate(config: Any) -> int:
    experts = getattr(config, "num_experts_per_tok", None)
    if experts and getattr(config, "moe_intermediate_size", None):
        return int(experts * config.moe_intermediate_size)
    return int(config.intermediate_size)


def _idle_experts(config: Any, layers: Any) -> int:
    """The weights of experts that a token does not pass."""
    experts, active = getattr(config, "num_experts", None), getattr(config, "num_experts_per_tok", None)
    if not experts or not active:
        return 0
    of_experts = sum(
        weight.numel() for layer in layers for name, weight in layer.named_parameters() if ".experts." in name
    )
    return int(of_experts * (1 - active / experts))
