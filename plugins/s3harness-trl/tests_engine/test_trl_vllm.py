"""GRPO whose answers vLLM writes: to the clips of the training, video and sound, with the weights of the training."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from s3harness_transformers.tiny import tiny_model
from training_commands import TUNING


def test_answers_of_vllm_have_the_probabilities_of_the_model_in_training(sounding, tmp_path):
    model = tiny_model("qwen2.5-omni", tmp_path / "tiny")
    words = f"train grpo --model {model} --data {sounding} --out {tmp_path / 'out'} --cache {tmp_path / 'cache'} "
    words += "--tasks 1 --split train --leave-out-constant --check-every 0 "
    words += "--sampling max_frames=2 --sampling max_pixels=4096 "
    words += f"{TUNING} -o steps=2 -o answers=2 -o max_answer_tokens=6 -o vllm=colocate -o lora_rank=0 -o beta=0 "
    words += "-o probe_samples=0"
    # In a process of its own, as vLLM joins the process group of the one that it is in, and is never stopped there.
    ended = subprocess.run(
        [sys.executable, "-m", "s3harness", *words.split()],
        env={**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]
    lines = [json.loads(line) for line in (tmp_path / "out" / "training_log.jsonl").read_text().splitlines()]
    differences = [line["rollout_difference"] for line in lines if "rollout_difference" in line]
    # Tokens of media, which no answer may have, have a share of the small vocabulary in training.
    assert len(differences) == 2 and max(differences) < 0.01
