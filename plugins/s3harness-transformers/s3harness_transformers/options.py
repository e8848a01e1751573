"""Options of the backend: the user's ``-o name=value`` over the settings of the model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from s3harness import options
from s3harness_transformers.adapters import ADAPTER_CONFIG

OWNER = "the transformers backend"
CARD_ONLY = frozenset({"min_version", "dtype_on_gpu"})
"""Options that a model card sets and a user does not."""
CARD_NAMES = {"dtype": "dtype_on_gpu"}
"""Name in a model card → name of the option."""
DTYPES = ("auto", "bfloat16", "float16", "float32")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformersOptions:
    """``dtype``, ``attn_implementation``, ``device_map`` and ``trust_remote_code`` are those of ``from_pretrained``.

    ``dtype`` is the card's on a GPU, and float32 on the CPU, unless the user names one. ``adapter`` is the directory of
    a LoRA adapter. At most ``batch_size`` requests are answered at once. ``structured`` holds answers to their schema
    or choices, ``logprobs`` records the probabilities of closed answers. A request may take ``timeout_s``, its wait for
    a batch included. ``clips`` are shown as ``video`` or as ``images``; if empty, as the model card has it.
    """

    dtype: Annotated[str, options.one_of(*DTYPES)] = ""
    attn_implementation: str = ""
    device_map: str = "auto"
    trust_remote_code: bool = False
    adapter: Annotated[Path | None, options.directory_with(ADAPTER_CONFIG)] = None
    batch_size: Annotated[int, options.whole(1)] = 4
    structured: bool = True
    logprobs: bool = True
    clips: Annotated[Literal["", "video", "images"], options.one_of("video", "images")] = ""
    timeout_s: Annotated[float, options.seconds] = 3600.0
    min_version: str = "0"
    dtype_on_gpu: Annotated[str, options.one_of(*DTYPES)] = "bfloat16"

    @classmethod
    def of(cls, values: Mapping[str, object], card: Mapping[str, object]) -> TransformersOptions:
        """Read the user's values over the card's; :class:`s3harness.UsageError` for an unknown name or wrong value."""
        user_names = {field.name: field for field in fields(cls) if field.name not in CARD_ONLY}
        for name in sorted(CARD_ONLY & values.keys()):
            raise options.unknown_option(OWNER, name, user_names)
        # A card's dtype is for GPUs: half precision is slow on a CPU, and float32 is exact there.
        card_values = {CARD_NAMES.get(name, name): value for name, value in card.items()}
        return options.read_options(cls, OWNER, {**card_values, **values})
