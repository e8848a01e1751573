"""The tiny models: every family builds, is what the cards say, and loads as a checkpoint of its kind does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import s3harness_transformers.tiny.__main__ as tiny_command
from click.testing import CliRunner
from s3harness_transformers.tiny import FAMILIES, OTHER_FAMILIES, tiny_model
from s3harness_transformers.tiny.tokenizer import PROMPT_SENTENCES
from safetensors import safe_open
from transformers_cases import CARDS

import s3harness
from s3harness.specs.models import load_model, model_names


def test_there_is_a_tiny_model_of_each_family_of_the_cards():
    cards = {load_model(name).family for name in model_names()}
    assert {load_model(name).family for name in CARDS.values()} == cards == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_checkpoint_has_the_architecture_of_its_card_and_small_weights(tiny, family):
    config = json.loads((tiny[family] / "config.json").read_text())
    assert config["architectures"] == [load_model(CARDS[family]).architecture]
    with safe_open(tiny[family] / "model.safetensors", "pt") as weights:
        names = list(weights.keys())
        assert sum(weights.get_tensor(name).numel() for name in names) < 2e6
    assert all(name.startswith("thinker.") for name in names) is family.endswith("omni")
    files = {path.name for path in tiny[family].iterdir()}
    assert {"tokenizer.json", "chat_template.jinja", "processor_config.json", "generation_config.json"} <= files


RELEASED_NAMES = {
    "qwen2.5-vl": {"lm_head", "model.embed_tokens", "model.layers.0.mlp.up_proj", "visual.merger.mlp.0"},
    "qwen3-vl": {"lm_head", "model.language_model.embed_tokens", "model.visual.pos_embed"},
    "internvl3.5": {"language_model.lm_head", "language_model.model.layers.0.mlp.up_proj"},
    "qwen2.5-omni": {"thinker.lm_head", "thinker.model.embed_tokens", "thinker.visual.patch_embed.proj"},
    "qwen3-omni": {"thinker.lm_head", "thinker.model.layers.0.mlp.experts.0.gate_proj", "thinker.visual.pos_embed"},
    "audio-flamingo": {"language_model.lm_head", "language_model.model.layers.0.mlp.up_proj", "audio_tower.conv1"},
    "qwen3.5": {"lm_head", "model.language_model.layers.0.linear_attn.in_proj_qkv", "model.visual.pos_embed"},
    "glm-4.6v": {"lm_head", "model.language_model.embed_tokens", "model.visual.downsample"},
    "gemma-3": {"language_model.model.embed_tokens", "vision_tower.vision_model.embeddings.patch_embedding"},
    "gemma-4": {"model.language_model.embed_tokens", "model.embed_vision.embedding_projection"},
    "smolvlm": {"lm_head", "model.text_model.embed_tokens", "model.vision_model.embeddings.patch_embedding"},
    "llava-onevision": {"language_model.lm_head", "vision_tower.vision_model.embeddings.patch_embedding"},
    "minicpm-v-4.6": {"lm_head", "model.language_model.embed_tokens", "model.vision_tower.vit_merger.linear_1"},
    "qwen3": {"lm_head", "model.embed_tokens", "model.layers.0.self_attn.q_norm"},
}


@pytest.mark.parametrize("family", (*FAMILIES, *OTHER_FAMILIES))
def test_weights_have_the_names_of_the_released_checkpoint(tiny, family):
    with safe_open(tiny[family] / "model.safetensors", "pt") as weights:
        assert {f"{name}.weight" for name in RELEASED_NAMES[family]} <= set(weights.keys())


def test_the_seed_determines_the_weights(tmp_path):
    weights = [
        hashlib.sha256((tiny_model("qwen3-vl", tmp_path / name, seed=seed) / "model.safetensors").read_bytes())
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert weights[0].digest() == weights[1].digest() != weights[2].digest()


def test_the_command_saves_one_and_names_the_families(tmp_path):
    result = CliRunner().invoke(tiny_command.main, ["internvl", str(tmp_path / "tiny")])
    assert result.exit_code == 0 and (tmp_path / "tiny" / "config.json").is_file()
    wrong = CliRunner().invoke(tiny_command.main, ["gpt", str(tmp_path / "none")])
    assert wrong.exit_code == 2 and "qwen3-vl" in wrong.output and not (tmp_path / "none").exists()
    with pytest.raises(s3harness.UsageError, match=r"qwen2\.5-omni"):
        tiny_model("gpt", tmp_path / "none")


@pytest.mark.parametrize("sentence", PROMPT_SENTENCES)
def test_the_tokenizer_is_trained_on_the_prompts_of_the_tasks(sentence):
    specs = Path(__file__).parents[3] / "task_specs" / "tasks"
    assert any(sentence in spec.read_text(encoding="utf-8") for spec in specs.glob("*.yaml"))
