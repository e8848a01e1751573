"""Requests of the golden video, as the plan of a run has them, and encoders and backends of each family."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from s3harness_transformers.backend import TransformersBackend
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


@dataclass
class Cases:
    """Plans runs of the golden video, and makes encoders and backends for them."""

    tiny: dict[str, Path]
    golden: Path
    store: MediaStore

    def card(self, family):
        return replace(load_model(CARDS[family]), weights=str(self.tiny[family]))

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

    def encoder(self, family, **options):
        source = {"local_files_only": True}
        config, processor = load_processor(str(self.tiny[family]), source)
        return RequestEncoder(
            processor, family_of(config.model_type), self.card(family), self.store, **options
        ), processor

    def backend(self, family, card=None, **options):
        return TransformersBackend(card or self.card(family), options, self.store)


def short(request: s3harness.Request, max_tokens=16, **changes) -> s3harness.Request:
    """The same request with a short free answer."""
    free = {"answer_schema": None, "choices": ()} | changes
    return replace(request, generation=replace(request.generation, max_tokens=max_tokens), **free)
