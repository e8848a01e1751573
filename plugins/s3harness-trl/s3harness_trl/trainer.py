"""The trainer: a warm-up of a tower, SFT and GRPO."""

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
    # Trackers keep a training on this machine unless the user says otherwise.
    "WANDB_MODE": "offline",
}


REFUSED = {
    "packing": "samples with clips are not packed, as positions in a clip would run on into the next sample; "
    "leave it out, and use accumulate for larger batches",
    "vllm_server": "TRL's server takes images alone, no video and no sound; use vllm=colocate",
}
"""Options of TRL that a user may look for → why there is none."""


class Trainer:
    """The trainer as it is registered: called with a job it trains, and it plans a training without beginning it."""

    def __call__(self, job: s3harness.TrainingJob) -> Mapping[str, object]:
        """Run the stage of a job, and return facts for the run card; see :class:`s3harness.TrainingJob`."""
        if job.stage not in STAGES:
            raise s3harness.UsageError(f"this trainer has no stage {job.stage!r}; it has {', '.join(STAGES)}")
        for name in REFUSED.keys() & job.options.keys():
            raise s3harness.UsageError(f"-o {name}: {REFUSED[name]}")
        _set_environment()
        with explained_out_of_memory():
            return STAGES[job.stage](job)

    def plan(self, request: s3harness.PlanRequest) -> s3harness.TrainingPlan:
        """Return the memory that a training takes, its hours and the configuration to launch it with."""
        _set_environment()
        from s3harness_trl.plan import make_plan

        return make_plan(request)


train = Trainer()


def _set_environment() -> None:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


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
