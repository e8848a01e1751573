"""What happens between the steps: the user is told, answers are looked at, held-out patients are asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from transformers import TrainerCallback

import s3harness
from s3harness_trl.asking import HeldOutAsker

NUMBERS = {"loss": "loss", "grad_norm": "gradient", "reward": "reward", "kl": "kl", "learning_rate": "learning_rate"}


class Ledger:
    """What the model said in a step and what each reward paid for it, until it is taken."""

    def __init__(self) -> None:
        self._said: list[s3harness.Said] = []
        self._paid: list[dict[str, float]] = []

    def function(self, reward: Any, ends: frozenset[int]) -> Callable[..., list[float | None]]:
        """A reward as TRL calls it; what it pays is noted beside the answer."""
        pays = s3harness.reward_function(reward)

        def paying(completions: Sequence[Any], **columns: Any) -> list[float | None]:
            paid = pays(completions, sample=columns["sample"])
            if not self._said:
                self._open(completions, columns, ends)
            for known, amount in zip(self._paid, paid, strict=True):
                if amount is not None:
                    known[reward.name] = amount * reward.weight
            return paid

        paying.__name__ = reward.name
        return paying

    def take(self) -> list[s3harness.Said]:
        """The answers since the last time."""
        said, self._said, self._paid = self._said, [], []
        return said

    def _open(self, completions: Sequence[Any], columns: Mapping[str, Any], ends: frozenset[int]) -> None:
        self._paid = [{} for _ in completions]
        tokens = columns["completion_ids"]
        self._said = [
            s3harness.Said.of(task, sample, completion, paid, ended=bool(ids) and ids[-1] in ends)
            for task, sample, completion, paid, ids in zip(
                columns["task"], columns["sample"], completions, self._paid, tokens, strict=True
            )
        ]


class Watch(TrainerCallback):  # type: ignore[misc]
    """Notes the numbers of each step, hands the answers to the monitor and asks held-out patients."""

    def __init__(self, job: s3harness.TrainingJob, asker: HeldOutAsker, ledger: Ledger | None = None) -> None:
        self._job, self._asker, self._ledger = job, asker, ledger
        self._kl: float | None = None
        self.scores: list[dict[str, Any]] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Ask before anything is learnt, or forget what was noted after the checkpoint that is gone on from."""
        if state.global_step:
            self._job.monitor.forget_after(state.global_step)
        elif self._job.check_every:
            self._check(0, given["model"])

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **given: Any) -> None:
        """Note the numbers of the last steps."""
        numbers = {told: float(logs[name]) for name, told in NUMBERS.items() if logs and name in logs}
        if not numbers:
            return
        wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
        if wrong:
            raise s3harness.S3HarnessError(
                f"step {state.global_step}: {wrong[0]} is no finite number; lower learning_rate, or use dtype float32"
            )
        self._kl = numbers.get("kl", self._kl)
        self._job.monitor.note(state.global_step, **{n: float(f"{value:.6g}") for n, value in numbers.items()})
        shown = ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        self._job.say(f"step {state.global_step} of {state.max_steps}: {shown}")

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Look at what was said, and every so many steps at what held-out patients get."""
        if self._ledger is not None and (said := self._ledger.take()):
            self._job.monitor.observe(state.global_step, said, kl=self._kl)
        every = self._job.check_every
        if every and (state.global_step % every == 0 or state.global_step == state.max_steps):
            self._check(state.global_step, given["model"])

    def _check(self, step: int, model: Any) -> None:
        scores = self._job.held_out.primary(self._asker.texts(model))
        self.scores.append({"step": step, "scores": scores})
        self._job.monitor.note(step, held_out=scores)
        told = "; ".join(
            f"{task.rpartition('/')[2]} {_shown(score['value'])} (floor {_shown(score['floor'])})"
            for task, score in scores.items()
        )
        self._job.say(f"step {step}, held-out patients: {told}")


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
