"""The model card as code reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from s3harness.specs.geometry import AudioGeometry, ChatTemplate, TextGeometry, Thinking, VisionGeometry
from s3harness.types import Modality

ClipForm = Literal["video", "images"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model, as data.

    ``weights`` is a hub id, or ``None`` where none were released; a user may put a directory in its place, and
    ``weights_id`` is then a hash of its files. ``engines`` holds options by backend, ``protocols`` the samplers and
    generation settings of its family under a protocol, where they differ from the task's own.

    ``clip_form`` is the form in which frames are shown, by every engine: one ``video`` with the times of its frames, or
    ``images``, each after its time in words. With ``audio_in_video`` the tokens of sound are interleaved with those of
    the video instead of following them.

    ``context_length`` is the most tokens of prompt and answer together. ``vision``, ``audio`` and ``text`` are sizes by
    which tokens and memory are counted, ``None`` where they are not known. ``thinking`` is ``None`` for a model that
    does not reason before it answers. ``generation`` holds the sampling settings of the checkpoint's own
    ``generation_config``, which no run uses unless it is told to.
    """

    name: str
    _: KW_ONLY
    title: str = ""
    weights: str | None = None
    revision: str | None = None
    family: str = ""
    parameters_b: float | None = None
    modalities: tuple[Modality, ...] = ("video",)
    architecture: str = ""
    licence: str = ""
    prompt_placement: str = "media_first"
    clip_form: ClipForm = "video"
    audio_in_video: bool = False
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    protocols: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    note: str = ""
    weights_id: str = ""
    model_type: str = ""
    context_length: int | None = None
    vision: VisionGeometry | None = None
    audio: AudioGeometry | None = None
    text: TextGeometry | None = None
    thinking: Thinking | None = None
    chat_template: ChatTemplate | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)

    def hears(self) -> bool:
        """Return true if the model takes sound."""
        return "audio" in self.modalities

    def asked_modalities(self) -> tuple[Modality, ...]:
        """Return the modalities whose items a run asks about: its own, and those of video for a model of text alone."""
        # A model that sees nothing guesses from the text of the questions, which shows how far that leads.
        return self.modalities or ("video",)
