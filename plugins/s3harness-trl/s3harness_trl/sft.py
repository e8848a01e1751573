"""Supervised fine-tuning by TRL's SFTTrainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import s3harness
from s3harness_trl.callbacks import MonitorCallback
from s3harness_trl.held_out import HeldOutEvaluator
from s3harness_trl.options import SftOptions
from s3harness_trl.rows import build_rows, grey_frames
from s3harness_trl.tuning import lora_config, run_trainer, save_model, trainable_parts, trainer_arguments


def fine_tune(job: s3harness.TrainingJob, options: SftOptions) -> Mapping[str, object]:
    """Train on the answers, compare the loss without the pictures, save, and return facts for the run card."""
    from trl import SFTConfig, SFTTrainer

    parts = trainable_parts(job, options)
    evaluator = HeldOutEvaluator(job, batch_size=options.answer_batch, max_tokens=options.max_answer_tokens)
    callback = MonitorCallback(job, evaluator)
    trainer = SFTTrainer(
        model=parts.model,
        # No max_length: TRL would truncate at it, and with images that cuts their tokens off.
        args=SFTConfig(**trainer_arguments(job, options), max_length=None, completion_only_loss=True),
        train_dataset=build_rows(job.made.samples, job.clips.frames, with_answer=True),
        processing_class=parts.processor,
        peft_config=lora_config(parts, options),
        callbacks=[callback],
    )
    run_trainer(trainer, job)
    comparison = compare_with_grey(trainer, job, options)
    saved = save_model(trainer, parts, job, options)
    return {"clips": "images", **saved, "held_out": callback.scores, "looks": comparison}


def compare_with_grey(trainer: Any, job: s3harness.TrainingJob, options: SftOptions) -> dict[str, Any] | None:
    """Compare the loss on held-out patients' answers with the pictures to that with grey ones in their place.

    ``worse_by`` is the mean difference, nats a token, and ``low`` the lower end of its 95 % interval over samples; the
    model uses the pictures (``looks``) if that is above 0. ``None`` if there is nothing to compare.
    """
    samples = job.held_out.known[: options.blank_samples]
    if not samples:
        return None
    losses = _losses(trainer, samples, job.held_out.clips.frames)
    grey_losses = _losses(trainer, samples, grey_frames(job.held_out.clips.frames))
    comparison = _comparison(losses, grey_losses)
    verdict = "the model uses the pictures" if comparison["looks"] else "NO EVIDENCE THAT THE MODEL USES THE PICTURES"
    job.say(
        f"loss {comparison['loss']:.4f} with the pictures, {comparison['blank']:.4f} with grey ones "
        f"(worse by {comparison['worse_by']:.4f}, at least {comparison['low']:.4f}): {verdict}"
    )
    return comparison


def _losses(trainer: Any, samples: Any, load_frames: Any) -> list[float]:
    """The mean loss of each sample's answer, nats a token."""
    import torch

    model = trainer.model.eval()
    rows = build_rows(samples, load_frames, with_answer=True)
    losses = []
    with torch.no_grad():
        # One by one: the loss of a batch would be a mean over the tokens of all its samples.
        for number in range(len(samples)):
            inputs = trainer._prepare_inputs(trainer.data_collator([rows[number]]))
            losses.append(float(trainer.compute_loss(model, inputs)))
    return losses


def _comparison(losses: list[float], grey_losses: list[float]) -> dict[str, Any]:
    import numpy as np

    differences = np.array(grey_losses) - np.array(losses)
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.inf
    # The normal approximation of a paired comparison.
    low = float(differences.mean() - 1.96 * error)
    return {
        "samples": len(losses),
        "loss": float(np.mean(losses)),
        "blank": float(np.mean(grey_losses)),
        "worse_by": float(differences.mean()),
        "low": low,
        "looks": bool(low > 0),
    }
