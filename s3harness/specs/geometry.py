"""Sizes of a model that a card states: how pictures and sound become tokens, and how long a prompt may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PixelLimits = tuple[int | None, int | None]
"""The fewest and the most pixels; ``None`` where there is no limit."""

UNLIMITED: PixelLimits = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionGeometry:
    """Sizes by which pictures become tokens.

    Of a model whose pictures vary in size, one token stands for ``merge_size`` × ``merge_size`` patches of
    ``patch_size`` × ``patch_size`` pixels, in ``temporal_patch_size`` successive frames of a video. Its processor
    resizes a picture to ``image_pixels``, a frame of a video to ``frame_pixels``, and a video such that all its
    frames together have ``clip_pixels``; frames that fill up the last temporal patch are counted.

    Of a model with one size for all, a picture is resized to ``image_size`` × ``image_size`` pixels and becomes
    ``tokens_per_image`` tokens; one that is given by itself may be cut into up to ``max_tiles`` tiles of that size, a
    reduced copy of the whole among them. A frame of a video becomes ``tokens_per_frame`` where that is another number.

    ``text_per_frame`` is the number of tokens, roughly, that the processor writes around the tokens of each frame or
    temporal patch: its time or number, and the markers.
    """

    patch_size: int | None = None
    merge_size: int = 1
    temporal_patch_size: int = 1
    image_pixels: PixelLimits = UNLIMITED
    frame_pixels: PixelLimits = UNLIMITED
    clip_pixels: PixelLimits = UNLIMITED
    image_size: int | None = None
    tokens_per_image: int | None = None
    tokens_per_frame: int | None = None
    max_tiles: int = 1
    text_per_frame: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioGeometry:
    """Tokens of a second of sound, and the seconds after which the processor truncates it (``None``: never)."""

    tokens_per_s: float
    max_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGeometry:
    """The part that writes text: its layers, attention heads, heads of keys and values, and the size of a head.

    One token takes 2 × ``layers`` × ``kv_heads`` × ``head_dim`` numbers in the KV cache; a tensor-parallel size
    divides ``heads``.
    """

    layers: int
    heads: int
    kv_heads: int
    head_dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """Reasoning before the answer, between ``start`` and ``end``.

    ``by_default`` is true if the model reasons unless told otherwise, ``switch`` the variable of the chat template
    that turns it on or off, ``""`` if nothing does.
    """

    by_default: bool
    switch: str = ""
    start: str = "<think>"
    end: str = "</think>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTemplate:
    """Facts of a chat template: the media parts that it writes, the variables that a caller may set, and its hash."""

    parts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    sha256: str = ""


GEOMETRY: Mapping[str, type] = {
    "vision": VisionGeometry,
    "audio": AudioGeometry,
    "text": TextGeometry,
    "thinking": Thinking,
    "chat_template": ChatTemplate,
}
"""Fields of a model card that are records of their own."""


def geometry_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the records of a card that :data:`GEOMETRY` names, as their classes; a checked card is expected."""
    # A frozen record holds tuples, and YAML and JSON have lists alone.
    return {
        name: None if data[name] is None else cls(**{key: _frozen(value) for key, value in data[name].items()})
        for name, cls in GEOMETRY.items()
        if name in data
    }


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
