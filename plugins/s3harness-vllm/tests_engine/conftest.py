"""A tiny video model, two small videos, and the command line in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s3harness.synth import synthesize

TINY = 4
"""Frames of a clip: enough for two times to be told, and few tokens."""

CARD = f"""
schema: s3harness/model/v1
name: tiny
title: A tiny Qwen3-VL of random weights
weights: null
family: qwen3-vl
modalities: [video]
engines:
  vllm: {{dtype: float32, max_model_len: 8192, enforce_eager: true, block_size: 32, max_num_seqs: 32}}
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
    out = tmp_path_factory.mktemp("weights") / "tiny"
    subprocess.run([sys.executable, "-m", "s3harness_transformers.tiny", "qwen3-vl", str(out)], check=True)
    return out


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
    """Of vLLM on a small machine, with its configuration in a place of its own."""
    config = tmp_path_factory.mktemp("vllm-config")
    ours = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # one process less: the engine's own does the work of a worker
        "VLLM_CONFIG_ROOT": str(config),
        "OMP_NUM_THREADS": "1",
    }
    return {k: v for k, v in os.environ.items() if not k.startswith(("VLLM_", "DO_NOT"))} | ours
