"""Figures of the model cards are those of the configuration and processor classes of the installed transformers."""

from __future__ import annotations

import importlib
import inspect

import pytest
import transformers
from transformers.models.audioflamingo3.processing_audioflamingo3 import AudioFlamingo3Processor
from transformers.models.qwen2_5_omni.processing_qwen2_5_omni import Qwen2_5OmniProcessorKwargs
from transformers.models.qwen3_omni_moe.processing_qwen3_omni_moe import Qwen3OmniMoeProcessorKwargs

from s3harness.specs.models import load_model, model_names

PATCHES = {
    "qwen2.5-vl": lambda: transformers.Qwen2_5_VLConfig().vision_config,
    "qwen2.5-omni": lambda: transformers.Qwen2_5OmniConfig().thinker_config.vision_config,
    "qwen3-vl": lambda: transformers.Qwen3VLConfig().vision_config,
    "qwen3-omni": lambda: transformers.Qwen3OmniMoeConfig().thinker_config.vision_config,
}
FRAME_PIXELS = {"qwen2.5-omni": Qwen2_5OmniProcessorKwargs, "qwen3-omni": Qwen3OmniMoeProcessorKwargs}


def cards(*families):
    return [card for card in map(load_model, model_names()) if card.family in families]


@pytest.mark.parametrize("card", cards(*PATCHES), ids=lambda card: card.name)
def test_patches_are_those_of_the_configuration_class(card):
    vision = PATCHES[card.family]()
    own = (card.vision.patch_size, card.vision.merge_size, card.vision.temporal_patch_size)
    assert own == (vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size)


@pytest.mark.parametrize("card", cards("internvl3.5"), ids=lambda card: card.name)
def test_tiles_are_those_of_the_configuration_class(card):
    vision = transformers.InternVLConfig().vision_config
    assert (card.vision.patch_size, card.vision.image_size) == (vision.patch_size[0], vision.image_size[0])


@pytest.mark.parametrize("card", cards("qwen2.5-omni"), ids=lambda card: card.name)
def test_the_text_model_of_qwen2_5_omni_is_that_of_the_configuration_class(card):
    text = transformers.Qwen2_5OmniConfig().thinker_config.text_config
    own = (card.text.layers, card.text.heads, card.text.kv_heads, card.context_length)
    assert own == (
        text.num_hidden_layers, text.num_attention_heads, text.num_key_value_heads, text.max_position_embeddings,
    )  # fmt: skip


@pytest.mark.parametrize("card", cards(*FRAME_PIXELS), ids=lambda card: card.name)
def test_the_pixels_of_a_frame_are_those_of_the_processor(card):
    size = FRAME_PIXELS[card.family]._defaults["videos_kwargs"]["size"]
    assert tuple(card.vision.frame_pixels) == (size["shortest_edge"], size["longest_edge"])


@pytest.mark.parametrize(
    ("module", "family"), [("qwen_vl_utils", "qwen2.5-vl"), ("qwen_omni_utils.v2_5", "qwen2.5-omni")]
)
def test_the_budget_of_a_clip_is_that_of_the_authors_library(module, family):
    vision = importlib.import_module(f"{module}.vision_process")
    tokens = int(vision.MODEL_SEQ_LEN * 0.9)
    for card in cards(family):
        assert card.vision.clip_pixels[1] == tokens * (card.vision.patch_size * card.vision.merge_size) ** 2 * 2


def test_audio_flamingo_hears_as_long_as_its_processor_takes():
    (card,) = cards("audio-flamingo")
    assert card.audio.max_s == inspect.signature(AudioFlamingo3Processor.__init__).parameters["max_audio_len"].default
