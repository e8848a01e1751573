"""Monitoring between the steps: numbers, answers and rewards to the monitor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers import TrainerCallback

import s3harness

METRICS = {
    "loss": "loss",
    "grad_norm": "gradient",
    "reward": "reward",
    "kl": "kl",
    "entropy": "entropy",
    "completions/mean_length": "length",
    "learning_rate": "learning_rate",
    "sampling/sampling_logp_difference/mean": "rollout_difference",
}
"""Name in the trainer's log → name in the monitor's file."""
ROLLOUT_LIMIT = 1.0
"""Mean difference, in nats a token, between vLLM's log-probabilities and the model's; numeric types make some 0.05."""
NOT_BEGUN = -1
"""The step before the first evaluation, which is noted at step 0."""


class RewardRecorder:
    """Collects the answers of a step, with the amount that each reward paid for them."""

    def __init__(self) -> None:
        self._answers: list[s3harness.TrainingAnswer] = []
        self._rewards: list[dict[str, float]] = []

    def reward_function(self, reward: Any, eos_token_ids: frozenset[int]) -> Callable[..., list[float | None]]:
        """A reward as TRL calls it, which records what it pays."""
        compute = s3harness.reward_function(reward)

        def recorded(completions: Sequence[Any], **columns: Any) -> list[float | None]:
            amounts = compute(completions, sample=columns["sample"])
            # TRL calls one reward after the other with the same completions: the first call begins a step.
            if not self._answers:
                self._begin_step(completions, columns, eos_token_ids)
            for rewards, amount in zip(self._rewards, amounts, strict=True):
                if amount is not None:
                    # Weighted, as TRL weighs them where it adds the rewards up.
                    rewards[reward.name] = amount * reward.weight
            return amounts

        # TRL logs each reward under the name of its function.
        recorded.__name__ = reward.name
        return recorded

    def pop_answers(self) -> list[s3harness.TrainingAnswer]:
        """Return the answers since the last call, and forget them."""
        answers, self._answers, self._rewards = self._answers, [], []
        return answers

    def _begin_step(
        self, completions: Sequence[Any], columns: Mapping[str, Any], eos_token_ids: frozenset[int]
    ) -> None:
        # The dictionaries are filled by the rewards that are called later.
        self._rewards = [{} for _ in completions]
        tokens = columns["completion_ids"]
        self._answers = [
            s3harness.TrainingAnswer.of(task, sample, completion, rewards, ended=bool(ids) and ids[-1] in eos_token_ids)
            for task, sample, completion, rewards, ids in zip(
                columns["task"], columns["sample"], completions, self._rewards, tokens, strict=True
            )
        ]


class MonitorCallback(TrainerCallback):  # type: ignore[misc]
    """Notes the numbers of each step, and gives the answers to the monitor."""

    def __init__(self, job: s3harness.TrainingJob, recorder: RewardRecorder | None = None) -> None:
        self._job, self._recorder = job, recorder
        self._kl: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Drop notes from after the checkpoint that is resumed."""
        # Steps after the checkpoint are trained again, and would be in the file twice.
        if self._job.resume:
            self._job.monitor.forget_after(state.global_step or NOT_BEGUN)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        """Note the numbers of the last steps; :class:`s3harness.S3HarnessError` for one that is not finite."""
        numbers = {name: float(logs[key]) for key, name in METRICS.items() if logs and key in logs}
        if not numbers:
            return
        # Training with them goes on to its end and saves a model that is all NaN.
        not_finite = [name for name, value in numbers.items() if not math.isfinite(value)]
        if not_finite:
            raise s3harness.S3HarnessError(
                f"step {state.global_step}: {not_finite[0]} is no finite number; "
                "lower learning_rate, or use dtype float32"
            )
        if numbers.get("rollout_difference", 0.0) > ROLLOUT_LIMIT:
            raise s3harness.S3HarnessError(
                f"step {state.global_step}: vLLM gives answers other probabilities than the model in training does, by "
                f"{numbers['rollout_difference']:.2f} nats a token: it has other weights; leave -o vllm off"
            )
        # Logged every few steps, and checked at each.
        self._kl = numbers.get("kl", self._kl)
        self._job.monitor.note(state.global_step, **{n: float(f"{value:.6g}") for n, value in numbers.items()})
        line = ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        self._job.report_status(f"step {state.global_step} of {state.max_steps}: {line}")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Give the answers of the step, those of all processes, to the monitor."""
        if self._recorder is not None:
            from accelerate.utils import gather_object

            answers = gather_object(self._recorder.pop_answers())
            if answers:
                self._job.monitor.observe(state.global_step, answers, kl=self._kl, group=args.num_generations)


class StopsAfter(TrainerCallback):  # type: ignore[misc]
    """Ends a training after a step, in the middle of its schedule."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the training if this was the step."""
        control.should_training_stop |= state.global_step >= self._step
