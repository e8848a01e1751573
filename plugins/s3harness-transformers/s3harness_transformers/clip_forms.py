"""The form in which a model can be shown clips, by its processor and chat template, so that none is asked blindly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import s3harness
from s3harness_transformers.families import family_of

MEDIA = {"video": "video", "images": "image"}
"""Form of a clip → the type of its parts in a conversation."""

REMEDY = "choose a model that does, or name its modalities in a card (--model FILE.yaml)"


def with_possible_form(card: s3harness.ModelCard, processor: Any) -> s3harness.ModelCard:
    """Return a model's card with images in place of video where the model takes images alone.

    Raises :class:`s3harness.UsageError` where the model takes nothing that the card would have it shown.
    """
    if "video" in card.modalities:
        form = next((form for form in _forms(card) if _takes(processor, MEDIA[form])), None)
        if form is None:
            tried = " and no ".join(_forms(card))
            raise s3harness.UsageError(f"{card.name} takes no {tried}, and would be asked blindly; {REMEDY}")
        card = replace(card, clip_form=form)
    if card.hears() and not _takes(processor, "audio"):
        raise s3harness.UsageError(
            f"{card.name} takes no sound, and would be asked about what it cannot hear; {REMEDY}"
        )
    if card.audio_in_video and not family_of(processor).interleaves_audio:
        raise s3harness.UsageError(f"{card.name} takes no sound in its video; its card has audio_in_video")
    return card


def _forms(card: s3harness.ModelCard) -> tuple[Literal["video", "images"], ...]:
    return ("video", "images") if card.clip_form == "video" else ("images",)


def _takes(processor: Any, kind: str) -> bool:
    """True if a processor has a part for media of a kind, and its chat template writes a placeholder for them."""
    parts = {"video": "video_processor", "image": "image_processor", "audio": "feature_extractor"}
    if getattr(processor, parts[kind], None) is None:
        return False
    text = {"type": "text", "text": "?"}
    with_media = _rendered(processor, [{"type": kind}, text])
    return with_media is not None and with_media != _rendered(processor, [text])


def _rendered(processor: Any, content: list[dict[str, str]]) -> str | None:
    try:
        return str(processor.apply_chat_template([{"role": "user", "content": content}], tokenize=False))
    # A template may refuse what it does not know, each with an error of its own.
    except Exception:
        return None
