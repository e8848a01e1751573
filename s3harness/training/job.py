"""The contract of the plugin kind ``trainer``: a trainer's input, and the result expected of it.

A trainer is a function ``(job: TrainingJob) -> Mapping[str, object]``. It writes a model in the form of transformers
into ``job.out``, continues an interrupted training from there, and returns facts for the run card: JSON-able, and
without paths. Among them are the form in which clips were given: ``clips``, "video" or "images", and ``audio``, "none",
"separate" or "in_video" (among the video's tokens). Samples, rewards, held-out patients and the limits of a collapse
come with the job, so that every trainer is held to the same.

Where several processes train together, each gets its own job; only the main one (``job.processes.is_main``) writes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s3harness.specs.models import ModelCard
from s3harness.training.clips import ClipFrames
from s3harness.training.held_out import HeldOut
from s3harness.training.monitor import Monitor
from s3harness.training.processes import Processes
from s3harness.training.rewards import Reward
from s3harness.training.training_set import VIDEO_ONLY, TrainingSet

Stage = Literal["warmup", "sft", "grpo"]
"""Classify signs with the vision part; supervised fine-tuning on the answers; reinforcement learning from rewards."""


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One training run.

    ``model`` is the directory of the initial weights and ``card`` describes what they take; ``options`` are the
    trainer's own. Held-out patients are evaluated every ``check_every`` steps (never if 0). With ``resume``, training
    continues from the last checkpoint in ``out``. ``report_status`` takes one line for the user.
    """

    stage: Stage
    model: Path
    out: Path
    training_set: TrainingSet
    clips: ClipFrames
    held_out: HeldOut
    monitor: Monitor
    rewards: Sequence[Reward] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    check_every: int = 0
    resume: bool = False
    report_status: Callable[[str], None] = print
    card: ModelCard = VIDEO_ONLY
    processes: Processes = field(default_factory=Processes)

    # Hidden from type checkers, for which any attribute would exist.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name not in _RENAMED:
                raise AttributeError(f"TrainingJob has no attribute {name!r}")
            message = f"TrainingJob.{name} is now {_RENAMED[name]}; the old name goes with the next release"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return getattr(self, _RENAMED[name])


_RENAMED: Mapping[str, str] = {"made": "training_set", "say": "report_status"}
"""Old attribute → the one that replaces it; trainers may use an old one for one more release."""
