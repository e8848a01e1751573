"""What SFT and GRPO have in common: what is trained of the model, how, from where, and how it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import s3harness
from s3harness_trl.loading import Parts, load_parts, save_parts
from s3harness_trl.options import TuningOptions

CHECKPOINTS = "checkpoints"
HEAD = "lm_head"


def parts_to_train(job: s3harness.TrainingJob, options: TuningOptions) -> Parts:
    """The model with what is to be left alone frozen."""
    parts = load_parts(job.model, dtype=options.dtype, trust_remote_code=options.trust_remote_code)
    if not options.vision:
        parts.vision.requires_grad_(False)
    return parts


def adapters(parts: Parts, options: TuningOptions) -> Any:
    """The LoRA configuration: all linear layers but the head, and those of the vision part unless it is left alone.

    ``None`` where all weights are trained.
    """
    if not options.lora_rank:
        return None
    from peft import LoraConfig
    from torch.nn import Linear

    seeing = {id(module) for module in parts.vision.modules()}
    targets = [
        name
        for name, module in parts.model.named_modules()
        if isinstance(module, Linear) and not name.endswith(HEAD) and (options.vision or id(module) not in seeing)
    ]
    return LoraConfig(
        r=options.lora_rank, lora_alpha=options.lora_alpha, lora_dropout=0.0, target_modules=targets, bias="none"
    )


def arguments(job: s3harness.TrainingJob, options: TuningOptions) -> dict[str, Any]:
    """What TRL is told in both stages."""
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
        "logging_nan_inf_filter": False,
        "save_strategy": "steps" if options.checkpoint_every else "no",
        "save_steps": options.checkpoint_every or options.steps,
        "save_total_limit": 2,
        "seed": options.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": options.dtype == "bfloat16",
        "gradient_checkpointing": False,
        "remove_unused_columns": False,
        "dataloader_num_workers": 0,
    }


def carry_out(trainer: Any, job: s3harness.TrainingJob) -> None:
    """Train, from the last checkpoint if the job is gone on with."""
    from transformers import PrinterCallback
    from transformers.trainer_utils import get_last_checkpoint

    trainer.remove_callback(PrinterCallback)
    folder = job.out / CHECKPOINTS
    last = get_last_checkpoint(str(folder)) if job.resume and folder.is_dir() else None
    if last:
        job.say(f"going on from step {last.rpartition('-')[2]}")
    trainer.train(resume_from_checkpoint=last)


def save(trainer: Any, parts: Parts, job: s3harness.TrainingJob, options: TuningOptions) -> Mapping[str, object]:
    """Write the model, adapters merged unless they are to stay apart; returns what was written."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if options.lora_rank and options.merge:
        model = model.merge_and_unload()
    for adapter in getattr(model, "peft_config", {}).values():
        # Where the base model was is nobody's business; the run card knows it by what it is.
        adapter.base_model_name_or_path = ""
    save_parts(Parts(model, parts.processor), job.out)
    apart = bool(options.lora_rank) and not options.merge
    return {"weights": "adapter" if apart else "whole", "trained": _trained(trainer.model)}


def _trained(model: Any) -> dict[str, int]:
    weights = list(model.parameters())
    return {"weights": sum(w.numel() for w in weights), "of_them": sum(w.numel() for w in weights if w.requires_grad)}
