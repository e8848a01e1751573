"""Requests of the golden video, as the plan of a run has them, and encoders and backends of each family."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from s3harness_transformers.backend import TransformersBackend
from s3harness_transformers.clip_forms import with_possible_form
from s3harness_transformers.families import family_of
from s3harness_transformers.loading import load_processor
from s3harness_transformers.request_encoder import RequestEncoder

import s3harness
from s3harness.evaluation.prepare import prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.media import MediaStore
from s3harness.specs.models import load_model

CARDS = {
    "qwen2.5-vl": "qwen2.5-vl-7b",
    "qwen3-vl": "qwen3-vl-8b",
    "internvl3.5": "internvl3.5-8b",
    "qwen2.5-omni": "qwen2.5-omni-7b",
    "qwen3-omni": "qwen3-omni-30b-a3b",
    "audio-flamingo": "audio-flamingo-3",
}

MODALITIES = {
    "qwen3.5": ("video",),
    "glm-4.6v": ("video",),
    "gemma-3": ("video",),
    "gemma-4": ("video", "audio"),
    "smolvlm": ("video",),
    "llava-onevision": ("video",),
    "minicpm-v-4.6": ("video",),
    "qwen3": (),
}
"""Modalities of the families without a card."""


@dataclass
class Cases:
    """Plans runs of the golden video, and makes encoders and backends for them."""

    tiny: dict[str, Path]
    golden: Path
    store: MediaStore

    def card(self, family):
        card = load_model(CARDS[family]) if family in CARDS else s3harness.ModelCard(family)
        changes = {"modalities": MODALITIES[family]} if family in MODALITIES else {}
        return replace(card, weights=str(self.tiny[family]), **changes)

    def request(self, *, frames=(), audio=False, **changes):
        """A request about 4 s of the golden video, with frames at these seconds of the clip; of text alone without."""
        start_s, end_s = (10.0, 14.0) if frames or audio else (0.0, 0.0)
        clip = s3harness.Clip("v1", start_s, end_s, tuple(start_s + time for time in frames), 96 * 64, audio=audio)
        if not clip.is_text_only:
            (video,) = s3harness.load_dataset(self.golden).videos
            self.store.prepare(video, [clip])
        fields = {"id": "r", "task": "t", "item": "i", "subject": "s", "prompt": "Does the patient turn the head?"}
        return short(s3harness.Request(clip=clip, **(fields | changes)), **({"choices": changes.get("choices", ())}))

    def steps(self, family, protocol="strict", task="1"):
        settings = RunSettings(
            backend="transformers",
            data=self.golden,
            out=Path("unused"),
            model=CARDS[family],
            weights=self.tiny[family],
            tasks=(task,),
            protocol=protocol,
        )
        (plan,) = prepare(settings).plan
        self.store.prepare(plan.video, plan.clips)
        return plan.steps

    def encoder(self, family, **card_changes):
        source = {"local_files_only": True}
        _, processor = load_processor(str(self.tiny[family]), source)
        card = with_possible_form(replace(self.card(family), **card_changes), processor)
        return RequestEncoder(processor, family_of(processor), card, self.store), processor

    def backend(self, family, card=None, **options):
        return TransformersBackend(card or self.card(family), options, self.store)


def short(request: s3harness.Request, max_tokens=16, **changes) -> s3harness.Request:
    """The same request with a short free answer."""
    free = {"answer_schema": None, "choices": ()} | changes
    return replace(request, generation=replace(request.generation, max_tokens=max_tokens), **free)
