"""Supervised fine-tuning by TRL's SFTTrainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import s3harness
from s3harness_trl.asking import HeldOutAsker
from s3harness_trl.options import SftOptions
from s3harness_trl.rows import blank, rows
from s3harness_trl.tuning import adapters, arguments, carry_out, parts_to_train, save
from s3harness_trl.watching import Watch


def fine_tune(job: s3harness.TrainingJob, options: SftOptions) -> Mapping[str, object]:
    """Train on the answers, save, and look whether the loss is worse without the pictures."""
    from trl import SFTConfig, SFTTrainer

    parts = parts_to_train(job, options)
    watch = Watch(job, HeldOutAsker(job, batch=options.answer_batch, most_tokens=options.max_answer_tokens))
    trainer = SFTTrainer(
        model=parts.model,
        args=SFTConfig(**arguments(job, options), max_length=None, completion_only_loss=True),
        train_dataset=rows(job.made.samples, job.clips.frames, with_answer=True),
        processing_class=parts.processor,
        peft_config=adapters(parts, options),
        callbacks=[watch],
    )
    carry_out(trainer, job)
    seen = looks(trainer, job, options)
    return {"clips": "images", **save(trainer, parts, job, options), "held_out": watch.scores, "looks": seen}


def looks(trainer: Any, job: s3harness.TrainingJob, options: SftOptions) -> dict[str, Any] | None:
    """The loss on held-out patients' answers with the pictures, and with grey ones in their place.

    ``worse_by`` is the mean difference, nats a token, and ``low`` the lower end of its 95 % interval over samples; the
    model looks if that is above 0. ``None`` if nothing is to be looked at.
    """
    samples = job.held_out.known[: options.blank_samples]
    if not samples:
        return None
    seen = _losses(trainer, samples, job.held_out.clips.frames)
    unseen = _losses(trainer, samples, blank(job.held_out.clips.frames))
    found = _compared(seen, unseen)
    verdict = "the model looks" if found["looks"] else "NOTHING SHOWS THAT THE MODEL LOOKS"
    job.say(
        f"loss {found['loss']:.4f} with the pictures, {found['blank']:.4f} with grey ones "
        f"(worse by {found['worse_by']:.4f}, at least {found['low']:.4f}): {verdict}"
    )
    return found


def _losses(trainer: Any, samples: Any, frames: Any) -> list[float]:
    """The mean loss of each sample's answer, nats a token."""
    import torch

    model = trainer.model.eval()
    given = rows(samples, frames, with_answer=True)
    losses = []
    with torch.no_grad():
        for number in range(len(samples)):
            inputs = trainer._prepare_inputs(trainer.data_collator([given[number]]))
            losses.append(float(trainer.compute_loss(model, inputs)))
    return losses


def _compared(seen: list[float], unseen: list[float]) -> dict[str, Any]:
    import numpy as np

    differences = np.array(unseen) - np.array(seen)
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.inf
    low = float(differences.mean() - 1.96 * error)
    return {
        "samples": len(seen),
        "loss": float(np.mean(seen)),
        "blank": float(np.mean(unseen)),
        "worse_by": float(differences.mean()),
        "low": low,
        "looks": bool(low > 0),
    }
