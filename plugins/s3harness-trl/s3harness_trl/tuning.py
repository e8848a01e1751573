"""Common parts of SFT and GRPO: trainable weights, trainer arguments, resuming from checkpoints, and saving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import s3harness
from s3harness_trl.loading import ModelParts, load_parts, save_parts
from s3harness_trl.options import TuningOptions

CHECKPOINTS = "checkpoints"


def trainable_parts(job: s3harness.TrainingJob, options: TuningOptions) -> ModelParts:
    """Load the model, its vision part frozen unless it is to be trained."""
    parts = load_parts(job.model, dtype=options.dtype, trust_remote_code=options.trust_remote_code)
    if not options.vision:
        parts.vision.requires_grad_(False)
    return parts


def lora_config(parts: ModelParts, options: TuningOptions) -> Any:
    """The LoRA configuration: all linear layers but the head, without the vision part if that is frozen.

    ``None`` where all weights are trained.
    """
    if not options.lora_rank:
        return None
    from peft import LoraConfig
    from torch.nn import Linear

    # peft warns of an adapter on a head that is tied to the embeddings: merging it would change them, too.
    excluded = {id(parts.model.get_output_embeddings())}
    if not options.vision:
        excluded |= {id(module) for module in parts.vision.modules()}
    targets = [
        name
        for name, module in parts.model.named_modules()
        if isinstance(module, Linear) and id(module) not in excluded
    ]
    return LoraConfig(
        r=options.lora_rank, lora_alpha=options.lora_alpha, lora_dropout=0.0, target_modules=targets, bias="none"
    )


def trainer_arguments(job: s3harness.TrainingJob, options: TuningOptions) -> dict[str, Any]:
    """Arguments of TRL's configuration in both stages."""
    import torch

    if options.batch_size % options.accumulate:
        raise s3harness.UsageError(
            f"-o accumulate={options.accumulate}: a batch of {options.batch_size} cannot be divided in so many parts"
        )
    return {
        "output_dir": str(job.out / CHECKPOINTS),
        "max_steps": options.steps,
        "per_device_train_batch_size": options.batch_size // options.accumulate,
        "gradient_accumulation_steps": options.accumulate,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": options.schedule,
        "warmup_steps": options.warmup_steps,
        "weight_decay": options.weight_decay,
        "adam_beta2": options.adam_beta2,
        "max_grad_norm": 1.0,
        "logging_steps": options.log_every,
        # transformers would log the mean of the losses before in place of one that is not finite.
        "logging_nan_inf_filter": False,
        "save_strategy": "steps" if options.checkpoint_every else "no",
        "save_steps": options.checkpoint_every or options.steps,
        # A checkpoint of all weights takes gigabytes: older ones are deleted.
        "save_total_limit": 2,
        "seed": options.seed,
        # No service such as Weights & Biases, which transformers would report to where its package is installed.
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": options.dtype == "bfloat16",
        "gradient_checkpointing": False,
        # Rewards are computed from columns that the model does not take.
        "remove_unused_columns": False,
        # Frames come from the media store of this process.
        "dataloader_num_workers": 0,
    }


def run_trainer(trainer: Any, job: s3harness.TrainingJob) -> None:
    """Train, from the last checkpoint where the job is resumed."""
    from transformers import PrinterCallback
    from transformers.trainer_utils import get_last_checkpoint

    # It prints each log entry as a dictionary; the monitor's callback says it in a line.
    trainer.remove_callback(PrinterCallback)
    folder = job.out / CHECKPOINTS
    checkpoint = get_last_checkpoint(str(folder)) if job.resume and folder.is_dir() else None
    if checkpoint:
        job.say(f"going on from step {checkpoint.rpartition('-')[2]}")
    trainer.train(resume_from_checkpoint=checkpoint)


def save_model(
    trainer: Any, parts: ModelParts, job: s3harness.TrainingJob, options: TuningOptions
) -> Mapping[str, object]:
    """Save the model, adapters merged unless they are to stay separate, and return facts for the run card."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if options.lora_rank and options.merge:
        model = model.merge_and_unload()
    for adapter in getattr(model, "peft_config", {}).values():
        # The path of the base model on this machine; the run card names that model by a hash.
        adapter.base_model_name_or_path = ""
    save_parts(ModelParts(model, parts.processor), job.out)
    is_separate = bool(options.lora_rank) and not options.merge
    return {"weights": "adapter" if is_separate else "whole", "trained": _count_weights(trainer.model)}


def _count_weights(model: Any) -> dict[str, int]:
    weights = list(model.parameters())
    return {"weights": sum(w.numel() for w in weights), "of_them": sum(w.numel() for w in weights if w.requires_grad)}
