"""Receipts: the inputs by the backend are those of the model's own processor, and a planted fault is named."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from s3harness_synth.dataset import synthesize
from s3harness_transformers import request_encoder
from s3harness_transformers.backend import TransformersBackend
from transformers_cases import CARDS

from s3harness.dataset.load import load_dataset
from s3harness.media import MediaStore
from s3harness.media.frames import Frames
from s3harness.receipts.compare import resampled
from s3harness.receipts.verify import receipt_of
from s3harness.specs.models import load_model
from s3harness.types import Clip, Request

CLIP = Clip("", 4.0, 12.0, tuple(4.5 + i for i in range(8)), 96 * 64, audio=True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A clip of a moving, textured, sounding video, and its store."""
    data = tmp_path_factory.mktemp("data") / "one"
    synthesize(data, videos=1, seed=4, resolution=(96, 64), fps=8, duration_s=20.0)
    video = load_dataset(data).videos[0]
    store = MediaStore(tmp_path_factory.mktemp("cache"))
    shown = replace(CLIP, video_id=video.id)
    store.prepare(video, [shown])
    return video, shown, store


@pytest.fixture(scope="module")
def receipts(tiny, clip):
    """Receipts of a family's tiny model, whose engine is loaded once."""
    video, shown, store = clip
    request = Request(id="r", task="t", item="i", subject="s", clip=shown, prompt="Does the head turn?")
    loop, loaded = asyncio.new_event_loop(), {}

    def of(family):
        if family not in loaded:
            card = replace(load_model(CARDS[family]), weights=str(tiny[family]))
            loaded[family] = TransformersBackend(card, {}, store)
            loop.run_until_complete(loaded[family].__aenter__())
        backend = loaded[family]
        # A clip that is encoded already would hide a fault.
        for part in ("video_processor", "image_processor", "feature_extractor"):
            cache = getattr(backend._encoder._processor, part, None)
            if cache is not None:
                cache._entries.clear()
        return loop.run_until_complete(receipt_of(backend, backend, video, request))

    yield of
    for backend in loaded.values():
        loop.run_until_complete(backend.__aexit__(None, None, None))
    loop.close()


@pytest.mark.parametrize("family", CARDS)
def test_the_inputs_are_those_of_the_models_own_processor(receipts, family):
    receipt = receipts(family)
    assert receipt.equal, (receipt.cause, receipt.stages)
    assert receipt.cause == ""
    assert receipt.hashes["tokens"] == receipt.official_hashes["tokens"]
    hears, sees = "audio" in load_model(CARDS[family]).modalities, "video" in load_model(CARDS[family]).modalities
    assert (receipt.frames == 8) is sees and receipt.audio is hears
    assert ("pixels" in receipt.hashes) is sees and ("audio_features" in receipt.hashes) is hears


def shown(monkeypatch, change):
    """Have the media store show changed frames."""
    true = MediaStore.frames

    def changed(self, clip):
        frames = true(self, clip)
        return Frames(np.ascontiguousarray(change(frames.pixels)), frames.timestamps)

    monkeypatch.setattr(MediaStore, "frames", changed)


def told(monkeypatch, change):
    """Have the encoder tell the processor something else of the frames."""
    true = request_encoder.video_kwargs
    monkeypatch.setattr(request_encoder, "video_kwargs", lambda *arguments: change(dict(true(*arguments))))


def off_by_one(monkeypatch):
    shown(monkeypatch, lambda pixels: np.concatenate([pixels[1:], pixels[-1:]]))


def bgr(monkeypatch):
    shown(monkeypatch, lambda pixels: pixels[..., ::-1])


def resized_twice(monkeypatch):
    def twice(pixels):
        small = [Image.fromarray(p).resize((72, 48)) for p in pixels]
        return np.stack([np.asarray(p.resize((96, 64))) for p in small])

    shown(monkeypatch, twice)


def wrong_fps(monkeypatch):
    def faster(kwargs):
        (about,) = kwargs["video_metadata"]
        kwargs["video_metadata"] = [about | {"frames_indices": [500 + 500 * i for i in range(8)]}]
        kwargs["video_metadata"][0]["total_num_frames"] = 4000
        return kwargs | ({"fps": 2.0} if "fps" in kwargs else {})

    told(monkeypatch, faster)


def dropped_times(monkeypatch):
    def without(kwargs):
        del kwargs["video_metadata"]
        return kwargs | ({"fps": 24.0} if "fps" in kwargs else {})

    told(monkeypatch, without)


def audio_rate(monkeypatch):
    true = MediaStore.audio
    monkeypatch.setattr(MediaStore, "audio", lambda self, clip, rate: resampled(true(self, clip, rate), 16_000, 24_000))


def no_media(monkeypatch):
    monkeypatch.setattr(request_encoder.RequestEncoder, "_has_frames", lambda self, clip: False)


SEEING = ("qwen2.5-vl", "qwen3-vl", "internvl3.5", "qwen2.5-omni", "qwen3-omni")
TIMED = ("qwen2.5-vl", "qwen3-vl", "qwen2.5-omni", "qwen3-omni")
HEARING = ("qwen2.5-omni", "qwen3-omni", "audio-flamingo")
PLANTED = [
    *((family, off_by_one, "frames off by one: each is the one after in the clip") for family in SEEING),
    *((family, bgr, "BGR instead of RGB") for family in SEEING),
    *((family, resized_twice, "resized twice") for family in SEEING),
    *((family, wrong_fps, "wrong fps") for family in TIMED),
    *((family, dropped_times, "timestamps dropped") for family in TIMED),
    *((family, audio_rate, "audio at the wrong rate: 24000 Hz taken for 16000") for family in HEARING),
    *((family, no_media, "missing media") for family in SEEING),
]


@pytest.mark.parametrize(("family", "plant", "cause"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_fault_is_found_and_named(receipts, monkeypatch, family, plant, cause):
    plant(monkeypatch)
    receipt = receipts(family)
    assert not receipt.equal
    assert receipt.cause.startswith(cause), (receipt.cause, receipt.stages)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A clip whose frames are above the least size of the recipes."""
    data = tmp_path_factory.mktemp("large") / "one"
    synthesize(data, videos=1, seed=4, resolution=(512, 288), fps=8, duration_s=12.0)
    video = load_dataset(data).videos[0]
    store = MediaStore(tmp_path_factory.mktemp("cache"))
    shown = replace(CLIP, video_id=video.id, end_s=8.0, timestamps=(4.5, 5.5, 6.5, 7.5), max_pixels=602_112)
    store.prepare(video, [shown])
    return video, shown, store


@pytest.fixture(scope="module")
def with_recipe(tiny, large):
    """Receipts of a family's clip of large frames; of the engine the processor alone is loaded."""
    video, shown, store = large

    async def receipt(family, clip):
        card = replace(load_model(CARDS[family]), weights=str(tiny[family]))
        request = Request(id="r", task="t", item="i", subject="s", clip=clip, prompt="Does the head turn?")
        store.prepare(video, [clip])
        async with TransformersBackend(card, {}, store) as backend:
            return await receipt_of(backend, backend, video, request)

    return lambda family, clip=shown: asyncio.run(receipt(family, clip))


COLOURS = "the recipe's decoder gives other colours"
RECIPES = {
    "qwen2.5-vl": ("qwen-vl-utils", "another frame rate: a step is of 0.0833 s by the recipe, and of 2 s here"),
    "qwen3-vl": ("qwen-vl-utils", COLOURS),
    "qwen2.5-omni": ("qwen-omni-utils", "another frame rate: a step is of 1 s by the recipe, and of 2 s here"),
    "qwen3-omni": ("qwen-omni-utils", COLOURS),
}
"""Families whose authors have a recipe → its package, and the first difference.

The documented call tells the processors of Qwen2.5 no rate that transformers 5 reads, and it assumes one.
"""
of_librosa = pytest.mark.filterwarnings("ignore:.*slated for removal:DeprecationWarning")


@of_librosa
@pytest.mark.parametrize("family", RECIPES)
def test_the_recipe_of_the_authors_is_equal_or_its_differences_have_causes(with_recipe, family):
    receipt = with_recipe(family)
    package, cause = RECIPES[family]
    assert receipt.recipe is not None, receipt.note
    assert receipt.recipe.library.startswith(f"{package} ")
    assert receipt.recipe.cause.startswith(cause) and COLOURS in receipt.recipe.cause
    stages = {stage.name: stage for stage in receipt.recipe.stages}
    assert stages["frames"].equal and stages["grid"].equal
    assert ("audio_features" in stages) is ("omni" in family)
    # A choice of the authors is no fault of the harness.
    assert receipt.equal


def test_times_that_the_recipe_counts_from_the_start_of_the_file_are_named(with_recipe):
    causes = with_recipe("qwen3-vl").recipe.cause
    assert "other prompt tokens, '|vision_start|><5.0' instead of '|vision_start|><1.0'" in causes


def test_frames_that_the_recipe_takes_elsewhere_are_named(with_recipe, large):
    uneven = replace(large[1], timestamps=(4.5, 5.0, 6.5, 7.5))
    causes = with_recipe("qwen3-vl", uneven).recipe.cause
    assert causes.startswith("the recipe takes other frames: the 2. is at 1.500 s instead of 1.000 s")


def test_frames_that_are_decoded_smaller_here_are_named(with_recipe, large):
    small = replace(large[1], max_pixels=60_000)
    causes = with_recipe("qwen3-vl", small).recipe.cause
    assert causes.startswith("the recipe decodes at 512 x 288 and resizes once; here frames are decoded at 326 x 182")


@pytest.mark.parametrize("family", ["internvl3.5", "audio-flamingo"])
def test_a_family_without_a_recipe_has_none(receipts, family):
    receipt = receipts(family)
    assert (receipt.recipe, receipt.note) == (None, "")
