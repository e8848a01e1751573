"""Tiny models of all families, a golden video, and requests as the plan of a run has them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from golden import write_data
from s3harness_transformers.asked import Asker
from s3harness_transformers.families import family_of
from s3harness_transformers.loading import read_processor
from s3harness_transformers.tiny import FAMILIES, tiny_model

import s3harness
from s3harness.media import MediaStore
from s3harness.run.session import Settings, prepare
from s3harness.specs.models import load_model

torch.set_num_threads(1)

CARDS = {
    "qwen2.5-vl": "qwen2.5-vl-7b",
    "qwen3-vl": "qwen3-vl-8b",
    "internvl3.5": "internvl3.5-8b",
    "qwen2.5-omni": "qwen2.5-omni-7b",
    "qwen3-omni": "qwen3-omni-30b-a3b",
    "audio-flamingo": "audio-flamingo-3",
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Family → the directory of its tiny model."""
    folder = tmp_path_factory.mktemp("tiny")
    return {family: tiny_model(family, folder / family) for family in FAMILIES}


@pytest.fixture(scope="session")
def golden(tmp_path_factory):
    """The data set of the golden video."""
    return write_data(tmp_path_factory.mktemp("golden") / "data")


@pytest.fixture(scope="session")
def shown(tiny, golden, tmp_path_factory):
    """What a family's model is shown with a request of a plan."""
    return Shown(tiny, golden, MediaStore(tmp_path_factory.mktemp("cache")))


@dataclass
class Shown:
    """Plans runs of the golden video, and makes tensors of their requests."""

    tiny: dict[str, Path]
    golden: Path
    store: MediaStore

    def card(self, family):
        return replace(load_model(CARDS[family]), weights=str(self.tiny[family]))

    def steps(self, family, protocol="strict", task="1"):
        settings = Settings(
            "transformers",
            self.golden,
            Path("unused"),
            model=CARDS[family],
            weights=self.tiny[family],
            tasks=(task,),
            protocol=protocol,
        )
        (plan,) = prepare(settings).plan
        self.store.prepare(plan.video, plan.clips)
        return plan.steps

    def asker(self, family, **options):
        source = {"local_files_only": True}
        config, processor = read_processor(str(self.tiny[family]), source)
        return Asker(processor, family_of(config.model_type), self.card(family), self.store, **options), processor

    def backend(self, family, card=None, **options):
        from s3harness_transformers.backend import TransformersBackend

        return TransformersBackend(card or self.card(family), options, self.store)


@pytest.fixture
def answers():
    """Answers of a backend to requests, all asked at the same time; an exception stands for one that failed."""

    def ask(backend, requests):
        async def all_of_them():
            async with backend:
                return await asyncio.gather(*map(backend.generate, requests), return_exceptions=True)

        return asyncio.run(all_of_them())

    return ask


def short(request: s3harness.Request, max_tokens=16, **changes) -> s3harness.Request:
    """The same request with a short free answer."""
    free = {"answer_schema": None, "choices": ()} | changes
    return replace(request, generation=replace(request.generation, max_tokens=max_tokens), **free)
