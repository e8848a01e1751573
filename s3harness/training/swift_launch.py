"""Launch scripts for ms-swift beside the exported rows: the settings of the published training where it tells them.

Checked against the argument parser, the data set loader and the reward registry of ms-swift 4.6; a training of seven
billion weights was never run. Arguments after a script's name replace those in it: of an option given twice the last
one counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from s3harness.training.rewards import Reward

SFT_SCRIPT, GRPO_SCRIPT = "sft.sh", "grpo.sh"
BASE = "Qwen/Qwen2.5-Omni-7B"

ENVIRONMENT: Mapping[str, str] = {
    # The rows of a video with sound have one tag, and its sound is interleaved with its frames.
    "USE_AUDIO_IN_VIDEO": "true",
    # The model's speaking part is not trained, and takes memory.
    "ENABLE_AUDIO_OUTPUT": "false",
    "FPS": "1",
    "FPS_MAX_FRAMES": "60",
    "VIDEO_MAX_PIXELS": "351232",
    "SAMPLING_RATE": "16000",
    "NPROC_PER_NODE": "8",
    # Weights and patients' clips stay on this machine.
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

COMMON: Mapping[str, str] = {
    "tuner_type": "lora",
    "lora_rank": "8",
    "lora_alpha": "32",
    "target_modules": "all-linear",
    "freeze_vit": "true",
    "freeze_aligner": "true",
    "torch_dtype": "bfloat16",
    "attn_impl": "sdpa",
    "max_length": "32768",
    "deepspeed": "zero2",
    "gradient_checkpointing": "true",
    # Held-out patients are in no row: a part of the rows would be of patients that are trained on.
    "split_dataset_ratio": "0",
    "save_steps": "100",
    "logging_steps": "5",
    "report_to": "tensorboard",
}

OF_SFT: Mapping[str, str] = {
    "dataset": "sft.jsonl",
    "output_dir": "sft",
    "num_train_epochs": "3",
    "learning_rate": "5e-5",
    "warmup_ratio": "0.05",
    "per_device_train_batch_size": "1",
    "gradient_accumulation_steps": "4",
}

OF_GRPO: Mapping[str, str] = {
    "rlhf_type": "grpo",
    "dataset": "grpo.jsonl",
    "output_dir": "grpo",
    "max_steps": "6000",
    "learning_rate": "1e-6",
    "per_device_train_batch_size": "2",
    "num_generations": "6",
    "temperature": "0.8",
    "top_p": "0.95",
    "top_k": "50",
    "max_completion_length": "1024",
    # Rewards are computed from columns of the rows.
    "remove_unused_columns": "false",
    "external_plugins": "reward_plugin.py",
    "use_vllm": "true",
    "vllm_mode": "colocate",
    "vllm_gpu_memory_utilization": "0.3",
    "log_completions": "false",
}


def launch_scripts(rewards: Sequence[Reward], without: Collection[str] = ()) -> dict[str, str]:
    """Return name → content of the scripts for both stages; ``MODEL`` in the environment names other weights.

    Arguments whose names are in ``without`` are left out of them.
    """
    names = " ".join(reward.name for reward in rewards)
    weights = " ".join(f"{reward.weight:g}" for reward in rewards)
    paid = {"reward_funcs": names, "reward_weights": weights} if rewards else {}
    scripts = {SFT_SCRIPT: _script("swift sft", "SFT", {**COMMON, **OF_SFT}, without)}
    if rewards:
        scripts[GRPO_SCRIPT] = _script("swift rlhf", "GRPO", {**COMMON, **OF_GRPO, **paid}, without)
    return scripts


def _script(command: str, stage: str, options: Mapping[str, str], without: Collection[str]) -> str:
    environment = "\n".join(f'export {name}="${{{name}:-{value}}}"' for name, value in ENVIRONMENT.items())
    arguments = " \\\n  ".join(f"--{name} {value}" for name, value in options.items() if name not in without)
    return f"""#!/bin/sh
# {stage} by ms-swift on these rows; the base model is $MODEL. Further arguments replace those here.
set -eu
cd "$(dirname "$0")"
{environment}
exec {command} --model "${{MODEL:-{BASE}}}" \\
  {arguments} "$@"
"""
