"""Options of the backend: the user's ``-o name=value`` over the settings of the model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import s3harness

OF_CARD = frozenset({"min_version", "dtype_on_gpu"})
"""What a card alone says."""
OF_CARD_AS = {"dtype": "dtype_on_gpu"}
SHOWN = ("video", "images")
DTYPES = ("auto", "bfloat16", "float16", "float32")


@dataclass(frozen=True, slots=True)
class TransformersOptions:
    """``dtype``, ``attn_implementation``, ``device_map`` and ``trust_remote_code`` are those of ``from_pretrained``.

    ``dtype`` is the card's on a GPU, and float32 on the CPU, unless it is named. ``adapter`` is the directory of a LoRA
    adapter. At most ``batch_size`` requests are answered at once. ``structured`` holds answers to their schema or
    choices, ``logprobs`` tells the probabilities of closed answers. A request may take ``timeout_s``, the wait for its
    turn included. ``clips`` are shown as ``video`` or as ``images``; if nothing is said, as the weights' run card has
    it (:func:`s3harness.read_card`), and as video where there is none.
    """

    dtype: str = ""
    attn_implementation: str = ""
    device_map: str = "auto"
    trust_remote_code: bool = False
    adapter: Path | None = None
    batch_size: int = 4
    structured: bool = True
    logprobs: bool = True
    clips: str = ""
    timeout_s: float = 3600.0
    min_version: str = "0"
    dtype_on_gpu: str = "bfloat16"

    @staticmethod
    def of(said: Mapping[str, object], card: Mapping[str, object]) -> TransformersOptions:
        """What the user said, over what the card says; :class:`s3harness.UsageError` for what is wrong."""
        for name in set(said) & OF_CARD:
            raise _unknown(name)
        of_card = {OF_CARD_AS.get(name, name): value for name, value in card.items()}
        return TransformersOptions(
            **cast("Any", {name: _read(name, value) for name, value in {**of_card, **said}.items()})
        )


def _read(name: str, value: object) -> object:
    if name not in _READERS:
        raise _unknown(name)
    try:
        return _READERS[name](value)
    except (TypeError, ValueError) as error:
        raise s3harness.UsageError(f"the transformers backend's option {name}: {error}") from None


def _unknown(name: str) -> s3harness.UsageError:
    known = ", ".join(spec.name for spec in fields(TransformersOptions) if spec.name not in OF_CARD)
    return s3harness.UsageError(f"the transformers backend has no option {name!r}; it has {known}")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a word is expected")
    return value


def _shown(value: object) -> str:
    if value not in SHOWN:
        raise ValueError(f"one of {', '.join(SHOWN)} is expected")
    return str(value)


def _version(value: object) -> str:
    return str(value)


def _dtype(value: object) -> str:
    if value not in DTYPES:
        raise ValueError(f"one of {', '.join(DTYPES)} is expected")
    return str(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _directory(value: object) -> Path:
    path = Path(str(value))
    if not (path / "adapter_config.json").is_file():
        raise ValueError("a directory is expected that peft has saved, with an adapter_config.json")
    return path


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("a whole number of at least 1 is expected")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError("a number of seconds above 0 is expected")
    return float(value)


_READERS: Mapping[str, Callable[[object], object]] = {
    "dtype": _dtype,
    "attn_implementation": _text,
    "device_map": _text,
    "trust_remote_code": _switch,
    "adapter": _directory,
    "batch_size": _count,
    "structured": _switch,
    "logprobs": _switch,
    "clips": _shown,
    "timeout_s": _seconds,
    "min_version": _version,
    "dtype_on_gpu": _dtype,
}
