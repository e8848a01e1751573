"""Probes at the end of GRPO: answers of the trained model to changed clips of held-out patients must earn less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import s3harness
from s3harness_trl.encoding import View
from s3harness_trl.evaluation import HeldOutEvaluator

VIEWS: Mapping[str, View | None] = {
    "": None,
    "blank": View(grey=True, silent=True),
    "mirrored": View(mirrored=True),
    "shuffled": View(shuffled=True),
}
"""Name of a view in s3harness → how the encoder shows it."""


def probe_trained(
    trainer: Any, job: s3harness.TrainingJob, evaluator: HeldOutEvaluator, n_samples: int
) -> list[dict[str, Any]]:
    """Return the probes of the rewards on ``n_samples`` held-out samples, and note them in the log of the training."""
    samples = job.held_out.spread(n_samples)
    if not samples:
        return []
    model = trainer.accelerator.unwrap_model(trainer.model_wrapped)

    def answers_of(samples: Sequence[s3harness.Sample], view: str) -> Mapping[str, str]:
        # All processes answer all of them: weights that are spread over processes take part in each other's steps.
        return evaluator.answers(model, samples, VIEWS[view])

    probes = s3harness.probe_rewards(job.rewards, job.training_set.specs, samples, answers_of, job.report_status)
    job.monitor.note(trainer.state.global_step, probes=probes)
    return probes
