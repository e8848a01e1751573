"""A tiny video model, two small videos, and the command line in processes of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from s3harness_synth.dataset import synthesize
from s3harness_transformers.tiny import tiny_model
from safetensors.numpy import save_file
from vllm_adapters import write_adapters

from s3harness.specs.models import read_card
from s3harness.specs.weights import with_weights

TINY = 4
"""Frames of a clip: enough for two times in the prompt, and few tokens."""

LAYERS, HIDDEN = 2, 128
"""Of the tiny model."""

CARD = f"""
schema: s3harness/model/v1
name: tiny
title: A tiny Qwen3-VL of random weights
weights: null
family: qwen3-vl
modalities: [video]
engines:
  vllm:
    dtype: float32
    max_model_len: 8192
    enforce_eager: true
    block_size: 32
    max_num_seqs: 32
    mm_processor_kwargs: {{size: {{shortest_edge: 4096, longest_edge: 1000000}}}}
protocols:
  paper:
    samplers:
      sliding_windows: {{window_s: 30, stride_s: 25, frames: {TINY}, max_pixels: 8192}}
      event_clip: {{frames: {TINY}, max_pixels: 8192}}
      onset_window: {{window_s: 60, placement: centred, frames: {TINY}, max_pixels: 8192}}
      uniform_frames: {{frames: {TINY}, max_pixels: 8192}}
    generation: {{temperature: 0, max_tokens: 1200}}
"""
"""So many tokens that every answer that is held to a schema comes to its end."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a Qwen3-VL of random weights."""
    return tiny_model("qwen3-vl", tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of random weights for it, in the files and by the names that peft has."""
    out = tmp_path_factory.mktemp("adapter")
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]}
    (out / "adapter_config.json").write_text(json.dumps(config | {"bias": "none", "lora_dropout": 0.0}))
    random = np.random.default_rng(1)
    tensors = {}
    for layer in range(LAYERS):
        name = f"base_model.model.model.language_model.layers.{layer}.self_attn.q_proj"
        for part, shape in (("lora_A", (4, HIDDEN)), ("lora_B", (HIDDEN, 4))):
            tensors[f"{name}.{part}.weight"] = random.normal(0, 0.5, shape).astype(np.float32)
    save_file(tensors, out / "adapter_model.safetensors")
    return out


@pytest.fixture(scope="session")
def tower_adapter(tiny: Path, card: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of random weights for its vision part alone."""
    return write_adapters(with_weights(read_card(card), tiny), tmp_path_factory.mktemp("tower"))["tower"]


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its card."""
    path = tmp_path_factory.mktemp("card") / "tiny.yaml"
    path.write_text(CARD, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of 36 s, an epileptic and a non-epileptic event if the seed has it so."""
    out = tmp_path_factory.mktemp("data") / "two"
    synthesize(out, videos=2, seed=4, resolution=(96, 64), fps=4, duration_s=36.0)
    return out


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of vLLM on a small machine, with its configuration in a directory of its own."""
    config = tmp_path_factory.mktemp("vllm-config")
    ours = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process less: the engine's own does the work of a worker
        "VLLM_CONFIG_ROOT": str(config),
        "OMP_NUM_THREADS": "1",
    }
    return {k: v for k, v in os.environ.items() if not k.startswith(("VLLM_", "DO_NOT"))} | ours
