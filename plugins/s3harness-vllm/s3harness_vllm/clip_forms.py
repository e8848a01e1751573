"""The form in which vLLM can show clips to a model, by the modalities that its class takes, so that none is blind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import s3harness


def with_possible_form(card: s3harness.ModelCard, engine: Mapping[str, object]) -> s3harness.ModelCard:
    """Return a model's card with images in place of video where vLLM has the model take images alone.

    Raises :class:`s3harness.UsageError` where vLLM has it take nothing of what the card would have it shown.
    """
    if not card.modalities:
        return card
    taken = _modalities(engine)
    if "video" in card.modalities and not taken & ({"image"} if card.clip_form == "images" else {"video", "image"}):
        raise _blind(card, "no video and no images")
    if card.hears() and "audio" not in taken:
        raise _blind(card, "no sound")
    shows_images = "video" in card.modalities and "video" not in taken
    return replace(card, clip_form="images") if shows_images else card


def _blind(card: s3harness.ModelCard, nothing: str) -> s3harness.UsageError:
    return s3harness.UsageError(
        f"{card.name} takes {nothing} in vLLM, and would be asked about what it is not shown; try --backend "
        "transformers, or name its modalities in a card (--model FILE.yaml)"
    )


def _modalities(engine: Mapping[str, object]) -> frozenset[str]:
    """The modalities that the class of a model takes in vLLM."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.multimodal import MULTIMODAL_REGISTRY

    untyped: dict[str, Any] = {**engine}
    config = AsyncEngineArgs(**untyped).create_model_config()
    if not config.is_multimodal_model:
        return frozenset()
    return frozenset(MULTIMODAL_REGISTRY.get_processing_info(config).supported_mm_limits)
