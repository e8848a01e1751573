"""What a user can say of a training run (``-o key=value``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast

import s3harness


@dataclass(frozen=True, slots=True)
class WarmupOptions:
    """``steps`` of ``batch_size`` pictures each; every ``probe_every`` steps AUROCs on the validation patients."""

    steps: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-3
    probe_every: int = 100
    seed: int = 0
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class TuningOptions:
    """What SFT and GRPO have in common.

    ``steps`` of ``batch_size`` samples (SFT) or answers (GRPO) each, the batch in ``accumulate`` parts. ``lora_rank`` 0
    trains all weights; otherwise low-rank adapters of the language model's linear layers, merged at the end unless
    ``merge`` is false. ``checkpoint_every`` steps a checkpoint is written. ``vision`` is false where the vision part is
    left as it is. ``adam_beta2`` is how long Adam remembers how large gradients were: a model of random weights, whose
    first ones are far larger than all that follow, learns sooner with 0.95.
    """

    steps: int = 200
    batch_size: int = 8
    accumulate: int = 1
    learning_rate: float = 1e-4
    schedule: str = "cosine"
    warmup_steps: int = 10
    weight_decay: float = 0.0
    adam_beta2: float = 0.999
    lora_rank: int = 16
    lora_alpha: int = 32
    merge: bool = True
    vision: bool = True
    dtype: str = "float32"
    checkpoint_every: int = 50
    log_every: int = 10
    seed: int = 0
    max_answer_tokens: int = 256
    answer_batch: int = 16
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class SftOptions(TuningOptions):
    """SFT: with ``blank_samples`` samples it is checked at the end that the loss is worse without the pictures."""

    blank_samples: int = 64


@dataclass(frozen=True, slots=True)
class GrpoOptions(TuningOptions):
    """GRPO: ``answers`` to each question at a ``temperature``; ``beta`` weighs the divergence from the first model."""

    batch_size: int = 32
    learning_rate: float = 1e-5
    answers: int = 8
    temperature: float = 1.0
    beta: float = 0.04
    structured: bool = True


Chosen = TypeVar("Chosen", WarmupOptions, SftOptions, GrpoOptions)


def options_of(kind: type[Chosen], said: Mapping[str, object]) -> Chosen:
    """The options that were said; :class:`s3harness.UsageError` for a name or a value that is none of them."""
    defaults = kind()
    known = {spec.name: getattr(defaults, spec.name) for spec in fields(defaults)}
    for name in said:
        if name not in known:
            raise s3harness.UsageError(f"the trainer has no option {name!r} here; it has {', '.join(known)}")
    read = {name: _number(value) if isinstance(known[name], float) else value for name, value in said.items()}
    for name, value in read.items():
        _check(name, value, known[name])
    return kind(**cast("Any", {name: type(known[name])(value) for name, value in read.items()}))


def _number(value: object) -> object:
    """A number as people write it: YAML takes 1e-4 for a word."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _check(name: str, value: object, default: object) -> None:
    """A value of the kind of the default: a switch, a word, or a number that is not below 0."""
    if isinstance(default, bool) or isinstance(value, bool):
        if not (isinstance(default, bool) and isinstance(value, bool)):
            raise _wrong(name, value, "true or false" if isinstance(default, bool) else "a number")
    elif isinstance(default, str):
        if not isinstance(value, str) or not value:
            raise _wrong(name, value, "a word")
    elif isinstance(default, int):
        if not isinstance(value, int) or value < (0 if default == 0 or name in ZERO else 1):
            raise _wrong(name, value, "a whole number, not below 1")
    elif not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise _wrong(name, value, "a number that is not below 0")


ZERO = frozenset({"lora_rank", "checkpoint_every", "blank_samples", "warmup_steps", "seed"})
"""Options that may be 0."""


def _wrong(name: str, value: object, expected: str) -> s3harness.UsageError:
    return s3harness.UsageError(f"-o {name}={value}: {expected} is expected")
