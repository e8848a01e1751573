"""LoRA adapters of random weights for a tiny model: of its language model, of its other parts, and of both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from s3harness_transformers.loading import load_model
from s3harness_transformers.options import TransformersOptions

import s3harness

KINDS = ("language", "tower", "mixed")


def write_adapters(card: s3harness.ModelCard, out: Path) -> dict[str, Path]:
    """Write an adapter of each kind as peft saves it; kind → directory. A model of text has one for its language."""
    from peft import LoraConfig, get_peft_model

    adapters = {}
    for kind in KINDS:
        model = load_model(card, TransformersOptions.of({}, {}), lambda phase: None).model
        targets = list(layers(model, kind))
        if not targets or (kind == "mixed" and "tower" not in adapters):
            continue
        torch.manual_seed(3)
        adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=targets, init_lora_weights=False))
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if "lora_" in name:
                    # Large enough to move an answer by more than any rounding.
                    parameter.normal_(0, 0.25)
        adapted.save_pretrained(out / kind)
        adapters[kind] = out / kind
    return adapters


def layers(model: torch.nn.Module, kind: str) -> Iterator[str]:
    """The names of a model's linear layers of one kind, without the output layer."""
    language = set(map(id, model.get_decoder().modules()))
    for name, module in model.named_modules():
        is_linear = type(module) is torch.nn.Linear and module is not model.get_output_embeddings()
        if is_linear and (kind == "mixed" or (kind == "language") == (id(module) in language)):
            yield name
