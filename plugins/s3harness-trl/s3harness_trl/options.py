"""Options of the trainer (``-o name=value``), by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from s3harness.options import whole

Positive = Annotated[int, whole(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmupOptions:
    """``steps`` of ``batch_size`` pictures each; every ``probe_every`` steps AUROCs on the validation patients."""

    steps: Positive = 1000
    batch_size: Positive = 64
    learning_rate: float = 1e-3
    probe_every: Positive = 100
    seed: int = 0
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningOptions:
    """Common options of SFT and GRPO.

    ``steps`` of ``batch_size`` samples (SFT) or answers (GRPO) each, the batch in ``accumulate`` parts. ``lora_rank`` 0
    trains all weights; otherwise low-rank adapters of the language model's linear layers, merged at the end unless
    ``merge`` is false. A checkpoint is written every ``checkpoint_every`` steps; none if 0. ``vision`` false leaves the
    vision part as it is. ``adam_beta2`` is the decay of Adam's mean of squared gradients: a model of random weights,
    whose first gradients are far larger than all that follow, learns sooner with 0.95.
    """

    steps: Positive = 200
    batch_size: Positive = 8
    accumulate: Positive = 1
    learning_rate: float = 1e-4
    schedule: str = "cosine"
    warmup_steps: int = 10
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    lora_rank: int = 16
    lora_alpha: Positive = 32
    merge: bool = True
    vision: bool = True
    dtype: str = "float32"
    checkpoint_every: int = 50
    log_every: Positive = 10
    seed: int = 0
    max_answer_tokens: Positive = 256
    answer_batch: Positive = 16
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SftOptions(TuningOptions):
    """SFT: the loss on ``blank_samples`` samples is compared at the end with that without pictures; not at all if 0."""

    blank_samples: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpoOptions(TuningOptions):
    """GRPO: ``answers`` to each question at a ``temperature``; ``beta`` weighs the divergence from the first model."""

    batch_size: Positive = 32
    learning_rate: float = 1e-5
    answers: Positive = 8
    temperature: float = 1.0
    beta: float = 0.04
    structured: bool = True
