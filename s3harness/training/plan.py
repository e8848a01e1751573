"""The plan of a training before it begins: memory of each GPU, hours, and the configuration to launch it with.

A trainer that can plan has a method ``plan`` beside its call: ``(request: PlanRequest) -> TrainingPlan``. Nothing is
loaded, and no video is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from s3harness.errors import UsageError
from s3harness.specs.models import ModelCard
from s3harness.training.job import Stage
from s3harness.training.training_set import TrainingSet

GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class Gpu:
    """A kind of GPU: its memory in GiB, the peak of its bfloat16 matrix units, and the speed of its memory."""

    memory_gb: float
    teraflops: float
    terabytes_per_s: float


GPUS: Mapping[str, Gpu] = {
    "a100": Gpu(80, 312, 2.0),
    "h100": Gpu(80, 989, 3.35),
    "h200": Gpu(141, 989, 4.8),
    "l40s": Gpu(48, 362, 0.86),
}
"""The makers' data sheets, without sparsity."""

_OTHER = re.compile(r"(?P<kind>[a-z0-9]+):(?P<memory>\d+)gb", re.IGNORECASE)


def gpu_named(text: str) -> Gpu:
    """Return a GPU by its name, such as ``h100``, with other memory as in ``a100:40GB``; :class:`UsageError` else."""
    match = _OTHER.fullmatch(text)
    kind = (match["kind"] if match else text).lower()
    if kind not in GPUS:
        raise UsageError(f"{text!r} is no known GPU; there are {', '.join(GPUS)}, with other memory as in a100:40GB")
    gpu = GPUS[kind]
    return Gpu(float(match["memory"]), gpu.teraflops, gpu.terabytes_per_s) if match else gpu


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """A training to plan. ``model`` is the directory of the weights, of which the configuration is enough.

    ``strategy`` is the trainer's name for how the model is spread over ``gpus``. ``tokens_per_s`` is the throughput of
    a GPU, if it is known.
    """

    stage: Stage
    model: Path | None
    card: ModelCard
    training_set: TrainingSet
    options: Mapping[str, object]
    strategy: str
    gpus: int
    gpu: Gpu
    tokens_per_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """The plan: ``memory_gb`` of one GPU by what it holds, GiB, and ``facts`` for the user by name.

    ``command`` launches the training, with ``files`` beside it, name → content. ``remedies`` would make it
    fit.
    """

    memory_gb: Mapping[str, float]
    limit_gb: float
    hours: float
    facts: Mapping[str, object]
    command: str
    files: Mapping[str, str] = field(default_factory=dict)
    assumptions: Sequence[str] = ()
    remedies: Sequence[str] = ()

    @property
    def total_gb(self) -> float:
        """Return the memory that one GPU needs, GiB."""
        return sum(self.memory_gb.values())

    @property
    def fits(self) -> bool:
        """Return true if it is no more than a GPU has."""
        return self.total_gb <= self.limit_gb


def clip_tokens(card: ModelCard, frames: int, max_pixels: int, seconds: float, *, has_audio: bool) -> int:
    """Return the most tokens that a clip becomes, by the sizes in the model's card; 0 for what they do not say."""
    tokens = 0.0
    vision = card.vision
    if vision is not None and frames:
        steps = -(-frames // vision.temporal_patch_size)
        if vision.patch_size:
            side = vision.patch_size * vision.merge_size
            low, high = vision.frame_pixels
            pixels = min(max(max_pixels, low or 0), high or max_pixels)
            if vision.clip_pixels[1]:
                pixels = min(pixels, vision.clip_pixels[1] // (steps * vision.temporal_patch_size))
            of_step = pixels / side**2
        else:
            of_step = vision.tokens_per_frame or vision.tokens_per_image or 0
        tokens += steps * (of_step + vision.text_per_frame)
    if has_audio and card.audio is not None:
        tokens += min(seconds, card.audio.max_s or seconds) * card.audio.tokens_per_s
    return round(tokens)
