"""A small model, a synthetic data set, and training runs on the command line."""

from __future__ import annotations

import pytest
import torch
from s3harness_synth.dataset import synthesize
from s3harness_transformers.tiny import tiny_model
from training_commands import TUNING, s3harness

torch.set_num_threads(1)

SET = "--tasks 3 --split train --leave-out-constant --no-mirror --sampling max_frames=2 --sampling max_pixels=4096"


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A Qwen3-VL of a million random weights."""
    return tiny_model("qwen3-vl", tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Synthetic seizures of some patients."""
    out = tmp_path_factory.mktemp("data") / "synthetic"
    synthesize(out, videos=12, seed=4, resolution=(96, 64), fps=2, duration_s=12.0, audio=False)
    return out


@pytest.fixture(scope="session")
def sounding(tmp_path_factory):
    """Synthetic seizures with sound."""
    out = tmp_path_factory.mktemp("sounding") / "data"
    synthesize(out, videos=12, seed=4, resolution=(96, 64), fps=2, duration_s=8.0)
    return out


@pytest.fixture(scope="session")
def arguments(data, tmp_path_factory):
    """The arguments of a training command: stage, model, out, and further options."""
    cache = tmp_path_factory.mktemp("cache")

    def of(stage, model, out, more=""):
        words = f"train {stage} --model {model} --data {data} --out {out} --cache {cache} {SET} --check-every 0 {more}"
        return words.split()

    return of


@pytest.fixture(scope="session")
def tuned(arguments, model, tmp_path_factory):
    """The directory of a model after four steps of SFT with adapters, evaluated on held-out patients."""
    out = tmp_path_factory.mktemp("tuned") / "sft"
    more = f"{TUNING} -o steps=4 -o lora_rank=4 -o blank_samples=6 -o max_answer_tokens=8 --check-every 2"
    code, printed = s3harness(arguments("sft", model, out, more + " --check-videos 2"))
    assert code == 0, printed
    return out
