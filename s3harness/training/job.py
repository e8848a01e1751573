"""What a trainer is given, and what it gives back: the contract of the plugin kind ``trainer``.

A trainer is a function ``(job: TrainingJob) -> Mapping[str, object]``. It writes a model in the form of transformers
into ``job.out``, from which it also goes on where it was stopped, and returns facts for the run card: JSON-able, and
without paths; ``clips`` among them says how clips were shown, "video" or "images". What is trained on, what pays, what
is held out and what counts as collapse come from here, so that every trainer is held to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from s3harness.training.clips import ClipFrames
from s3harness.training.held_out import HeldOut
from s3harness.training.monitor import Monitor
from s3harness.training.rewards import Reward
from s3harness.training.training_set import TrainingSet

Stage = Literal["warmup", "sft", "grpo"]
"""Teach the vision part the signs; learn the answers by heart; learn from rewards."""


@dataclass(frozen=True)
class TrainingJob:
    """One training run.

    ``model`` is the directory of the weights to begin with, ``options`` are the trainer's own, ``check_every`` is after
    how many steps the held-out patients are asked (never if 0), ``resume`` says to go on from the last checkpoint in
    ``out``. ``say`` takes one line for the user.
    """

    stage: Stage
    model: Path
    out: Path
    made: TrainingSet
    clips: ClipFrames
    held_out: HeldOut
    monitor: Monitor
    rewards: Sequence[Reward] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    check_every: int = 0
    resume: bool = False
    say: Callable[[str], None] = print
