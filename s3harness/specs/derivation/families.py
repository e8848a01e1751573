"""The table of families: what the files of a checkpoint leave to the code of its processor, by ``model_type``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from s3harness.package_data import specs_directory
from s3harness.specs.document import read_document, validate
from s3harness.specs.geometry import PixelLimits

FILE = "families.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRule:
    """Facts of a family. Each stands in for what the files do not say; pixel limits take the place of the files'.

    ``limits`` is ``frame`` or ``clip``: what the limits of pixels of its video processor hold for. ``audio_max_s``
    names the field with the seconds of sound that are taken at most, ``audio_max_s_default`` the seconds where it is
    absent. ``frame_pooling`` tokens on a side become one in a frame of a video. A family that ``thinks`` does so
    without being told by its chat template.
    """

    family: str = ""
    limits: Literal["frame", "clip", ""] = ""
    frame_pixels: PixelLimits | None = None
    clip_pixels: PixelLimits | None = None
    text_per_frame: int | None = None
    tokens_per_image: int | None = None
    frame_pooling: int = 1
    max_tiles: int | None = None
    audio_tokens_per_s: float | None = None
    audio_max_s: str = ""
    audio_max_s_default: float | None = None
    context_length: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    thinks: bool = False


def family_rule(model_type: str) -> FamilyRule:
    """Return the facts of a ``model_type``, none for one that is not in the table."""
    return _table()[0].get(model_type, FamilyRule())


def video_processor_rule(name: str) -> FamilyRule:
    """Return the facts of a class of video processors, none for one that is not in the table."""
    return _table()[1].get(name, FamilyRule())


def pixel_limits_of(video_processor: str) -> Literal["frame", "clip", ""]:
    """Return what the limits of pixels of a class of video processors hold for; empty if it gives frames one size."""
    return video_processor_rule(video_processor).limits


@lru_cache
def _table() -> tuple[Mapping[str, FamilyRule], Mapping[str, FamilyRule]]:
    document = read_document(specs_directory() / FILE)
    validate(document, "families")
    return _rules(document.data["families"]), _rules(document.data["video_processors"])


def _rules(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, FamilyRule]:
    return {
        name: FamilyRule(**{key: _frozen(value) for key, value in entry.items()}) for name, entry in entries.items()
    }


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value
