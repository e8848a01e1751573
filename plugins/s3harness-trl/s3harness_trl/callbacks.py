"""Monitoring between the steps: numbers, answers and rewards to the monitor, and scores of held-out patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers import TrainerCallback

import s3harness
from s3harness_trl.held_out import HeldOutEvaluator

METRICS = {"loss": "loss", "grad_norm": "gradient", "reward": "reward", "kl": "kl", "learning_rate": "learning_rate"}
"""Name in the trainer's log → name in the monitor's file."""


class RewardRecorder:
    """Collects the answers of a step, with the amount that each reward paid for them."""

    def __init__(self) -> None:
        self._answers: list[s3harness.Said] = []
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

    def pop_answers(self) -> list[s3harness.Said]:
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
            s3harness.Said.of(task, sample, completion, rewards, ended=bool(ids) and ids[-1] in eos_token_ids)
            for task, sample, completion, rewards, ids in zip(
                columns["task"], columns["sample"], completions, self._rewards, tokens, strict=True
            )
        ]


class MonitorCallback(TrainerCallback):  # type: ignore[misc]
    """Notes the numbers of each step, gives the answers to the monitor and evaluates held-out patients."""

    def __init__(
        self, job: s3harness.TrainingJob, evaluator: HeldOutEvaluator, recorder: RewardRecorder | None = None
    ) -> None:
        self._job, self._evaluator, self._recorder = job, evaluator, recorder
        self._kl: float | None = None
        self.scores: list[dict[str, Any]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluate the model before it is trained, or drop notes from after the checkpoint that is resumed."""
        # Steps after the checkpoint are trained again, and would be in the file twice.
        if state.global_step:
            self._job.monitor.forget_after(state.global_step)
        elif self._job.check_every:
            self._evaluate(0, kwargs["model"])

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
        # Logged every few steps, and checked at each.
        self._kl = numbers.get("kl", self._kl)
        self._job.monitor.note(state.global_step, **{n: float(f"{value:.6g}") for n, value in numbers.items()})
        line = ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        self._job.say(f"step {state.global_step} of {state.max_steps}: {line}")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Give the answers of the step to the monitor, and evaluate held-out patients every ``check_every`` steps."""
        if self._recorder is not None and (answers := self._recorder.pop_answers()):
            self._job.monitor.observe(state.global_step, answers, kl=self._kl)
        every = self._job.check_every
        if every and (state.global_step % every == 0 or state.global_step == state.max_steps):
            self._evaluate(state.global_step, kwargs["model"])

    def _evaluate(self, step: int, model: Any) -> None:
        scores = self._job.held_out.primary(self._evaluator.answers(model))
        self.scores.append({"step": step, "scores": scores})
        self._job.monitor.note(step, held_out=scores)
        line = "; ".join(
            f"{task.rpartition('/')[2]} {_format_score(score['value'])} (floor {_format_score(score['floor'])})"
            for task, score in scores.items()
        )
        self._job.say(f"step {step}, held-out patients: {line}")


def _format_score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
