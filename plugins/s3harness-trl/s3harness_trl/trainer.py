"""The trainer: a warm-up of the vision part, SFT and GRPO."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import s3harness
from s3harness.options import read_options
from s3harness_trl.errors import explained_out_of_memory
from s3harness_trl.options import GrpoOptions, SftOptions, WarmupOptions

OWNER = "the trainer"

# For libraries that read them on import, which is later: no telemetry, no warnings.
ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
}


def train(job: s3harness.TrainingJob) -> Mapping[str, object]:
    """Run the stage of a job, and return facts for the run card; see :class:`s3harness.TrainingJob`."""
    if job.stage not in STAGES:
        raise s3harness.UsageError(f"this trainer has no stage {job.stage!r}; it has {', '.join(STAGES)}")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with explained_out_of_memory():
        return STAGES[job.stage](job)


def _warm_up(job: s3harness.TrainingJob) -> Mapping[str, object]:
    options = read_options(WarmupOptions, OWNER, job.options)
    from s3harness_trl.warmup import warm_up

    return warm_up(job, options)


def _fine_tune(job: s3harness.TrainingJob) -> Mapping[str, object]:
    options = read_options(SftOptions, OWNER, job.options)
    from s3harness_trl.sft import fine_tune

    return fine_tune(job, options)


def _reinforce(job: s3harness.TrainingJob) -> Mapping[str, object]:
    options = read_options(GrpoOptions, OWNER, job.options)
    if not job.rewards:
        raise s3harness.UsageError("GRPO is by rewards, and there is none; name a metric (--rewards)")
    from s3harness_trl.grpo import reinforce

    return reinforce(job, options)


STAGES: Mapping[str, Callable[[s3harness.TrainingJob], Mapping[str, object]]] = {
    "warmup": _warm_up,
    "sft": _fine_tune,
    "grpo": _reinforce,
}
