"""Options of the trainer (``-o name=value``), by stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import s3harness
from s3harness.options import number, one_of, whole

Positive = Annotated[int, whole(1)]
DTYPES = ("bfloat16", "float32")
TRACKERS = {"tensorboard": "tensorboard", "wandb": "wandb", "trackio": "trackio", "mlflow": "mlflow"}
"""Tracker that a training may report to → the package that it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmupOptions:
    """``steps`` of ``batch_size`` pictures or sounds each; every ``probe_every`` steps AUROCs on validation patients.

    ``tower`` is the one to train, vision or audio; sound is cut in pieces of ``seconds``.
    """

    tower: Annotated[str, one_of("vision", "audio")] = "vision"
    seconds: float = 2.0
    steps: Positive = 1000
    batch_size: Positive = 64
    learning_rate: float = 1e-3
    probe_every: Positive = 100
    seed: int = 0
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningOptions:
    """Common options of SFT and GRPO.

    ``steps`` of ``batch_size`` samples (SFT) or answers (GRPO) each, the batch in ``accumulate`` parts in each process;
    training ends after step ``stop_after`` of them, where this is not 0.
    ``lora_rank`` 0 trains all weights; otherwise low-rank adapters of the linear layers, merged at the end unless
    ``merge`` is false. ``vision`` and ``audio`` false leave these towers as they are. ``sound`` is given ``separate``
    from the video or ``in_video``, among its tokens, or not at all (``none``); by default as the model's card has it.
    A checkpoint is written every ``checkpoint_every`` steps; none if 0. ``keep_best`` saves the checkpoint with the
    best mean skill on held-out patients, and training ends once it has not risen for ``patience`` evaluations (0:
    never). ``adam_beta2`` is the decay of Adam's mean of squared gradients: a model of random weights, whose first
    gradients are far larger than all that follow, learns sooner with 0.95. ``dtype`` is that of the weights: by default
    bfloat16 under adapters on a GPU, and float32 otherwise; computation is in bfloat16 on a GPU.
    ``gradient_checkpointing`` is always, never, or auto: on a GPU. No sample may have more than ``max_tokens`` tokens
    (0: no limit). ``workers`` are processes that decode and encode the next batches of SFT; 0: this one does.
    ``report_to`` names trackers, separated by commas.
    """

    steps: Positive = 200
    stop_after: Annotated[int, whole(0)] = 0
    batch_size: Positive = 8
    accumulate: Positive = 1
    learning_rate: float = 1e-4
    schedule: str = "cosine"
    warmup_steps: int = 10
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    max_grad_norm: float = 1.0
    lora_rank: int = 16
    lora_alpha: Positive = 32
    lora_dropout: float = 0.0
    merge: bool = True
    sound: Annotated[str, one_of("separate", "in_video", "none")] = ""
    vision: bool = True
    audio: bool = True
    dtype: Annotated[str, one_of(*DTYPES)] = ""
    gradient_checkpointing: Annotated[str, one_of("auto", "always", "never")] = "auto"
    checkpoint_every: int = 50
    keep_best: bool = False
    patience: Annotated[int, whole(0)] = 0
    log_every: Positive = 10
    workers: Annotated[int, whole(0)] = 0
    report_to: str = ""
    seed: int = 0
    max_tokens: Annotated[int, whole(0)] = 0
    max_answer_tokens: Positive = 256
    answer_batch: Positive = 16
    trust_remote_code: bool = False

    def checkpointing(self, on_gpu: bool) -> bool:
        """True if activations are computed again for the gradient, instead of being kept."""
        return on_gpu if self.gradient_checkpointing == "auto" else self.gradient_checkpointing == "always"

    @property
    def trackers(self) -> list[str]:
        """The trackers by name; :class:`s3harness.UsageError` for one that is unknown or not installed."""
        from importlib.util import find_spec

        names = [name.strip() for name in self.report_to.split(",") if name.strip()]
        for name in names:
            if name not in TRACKERS:
                raise s3harness.UsageError(f"-o report_to={name}: no such tracker; there are {', '.join(TRACKERS)}")
            if find_spec(TRACKERS[name]) is None:
                raise s3harness.UsageError(f"-o report_to={name}: pip install {TRACKERS[name]}")
        return names


@dataclass(frozen=True, slots=True, kw_only=True)
class SftOptions(TuningOptions):
    """SFT: the loss on ``blank_samples`` samples is compared at the end with that without frames, and without sound.

    Not at all if 0.
    """

    blank_samples: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpoOptions(TuningOptions):
    """GRPO: ``answers`` to each question at a ``temperature``; ``beta`` weighs the divergence from the first model.

    ``generation_batch`` answers are written at once and learnt from batch by batch (0: those of one batch), each batch
    ``iterations`` times. With ``vllm=colocate`` they are written by a vLLM in each process, with the present weights;
    it takes a share ``vllm_memory`` of the GPU's memory. At the end ``probe_samples`` questions about held-out patients
    are asked with changed clips, which must cost reward (0: none).
    """

    batch_size: Positive = 32
    learning_rate: float = 1e-5
    answers: Positive = 8
    temperature: float = 1.0
    beta: float = 0.04
    iterations: Positive = 1
    generation_batch: Annotated[int, whole(0)] = 0
    vllm: Annotated[str, one_of("off", "colocate")] = "off"
    vllm_memory: Annotated[float, number(0.01)] = 0.3
    probe_samples: Annotated[int, whole(0)] = 32
