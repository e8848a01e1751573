"""Reliance of a model on its clips: the loss with them, and with grey frames or silence in their place."""

from __future__ import annotations

from typing import Any

import s3harness
from s3harness_trl.encoding import AnswerCollator, View
from s3harness_trl.evaluation import HeldOutEvaluator


def compare_with_blank(
    trainer: Any, job: s3harness.TrainingJob, evaluator: HeldOutEvaluator, n_samples: int
) -> dict[str, Any] | None:
    """Compare the loss on held-out patients' answers with the frames to that with grey ones, and with sound to silence.

    ``worse_by`` is the mean difference, nats a token, and ``low`` the lower end of its 95 % interval over samples; the
    model uses the frames (``looks``) if that is above 0. ``sound`` has the same of the samples with sound. ``None`` if
    there is nothing to compare.
    """
    samples = job.held_out.labelled[:n_samples]
    if not samples:
        return None
    losses = _losses(trainer, evaluator, samples, View())
    comparison: dict[str, Any] = {}
    if "video" in evaluator.card.modalities:
        comparison = _comparison(losses, _losses(trainer, evaluator, samples, View(grey=True)))
        _report(job, comparison, "the frames", "grey ones")
    with_sound = [number for number, sample in enumerate(samples) if _has_sound(job, evaluator, sample)]
    if with_sound:
        silent = _losses(trainer, evaluator, [samples[number] for number in with_sound], View(silent=True))
        comparison["sound"] = _comparison([losses[number] for number in with_sound], silent)
        _report(job, comparison["sound"], "the sound", "silence")
    return comparison or None


def _has_sound(job: s3harness.TrainingJob, evaluator: HeldOutEvaluator, sample: s3harness.Sample) -> bool:
    return evaluator.card.hears() and job.held_out.clips.has_audio(sample.request.clip)


def _report(job: s3harness.TrainingJob, comparison: dict[str, Any], thing: str, blank: str) -> None:
    verdict = f"the model uses {thing}" if comparison["looks"] else f"NO EVIDENCE THAT THE MODEL USES {thing.upper()}"
    job.report_status(
        f"loss {comparison['loss']:.4f} with {thing}, {comparison['blank']:.4f} with {blank} "
        f"(worse by {comparison['worse_by']:.4f}, at least {comparison['low']:.4f}): {verdict}"
    )


def _losses(trainer: Any, evaluator: HeldOutEvaluator, samples: Any, view: View) -> list[float]:
    """The mean loss of each sample's answer, nats a token."""
    import torch

    model = trainer.model_wrapped.eval()
    collator = AnswerCollator(evaluator.encoder, samples, view)
    losses = []
    with torch.no_grad():
        # One by one: the loss of a batch would be a mean over the tokens of all its samples.
        for number in range(len(samples)):
            inputs = trainer._prepare_inputs(collator([{"number": number}]))
            with trainer.compute_loss_context_manager():
                losses.append(float(trainer.compute_loss(model, inputs)))
    return losses


def _comparison(losses: list[float], blank_losses: list[float]) -> dict[str, Any]:
    import numpy as np

    differences = np.array(blank_losses) - np.array(losses)
    error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.inf
    # The normal approximation of a paired comparison.
    low = float(differences.mean() - 1.96 * error)
    return {
        "samples": len(losses),
        "loss": float(np.mean(losses)),
        "blank": float(np.mean(blank_losses)),
        "worse_by": float(differences.mean()),
        "low": low,
        "looks": bool(low > 0),
    }
