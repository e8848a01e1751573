"""The tiny models: every family builds, is what the cards say, and loads as a checkpoint of its kind does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import s3harness_transformers.tiny.__main__ as tiny_command
from click.testing import CliRunner
from s3harness_transformers.tiny import FAMILIES, tiny_model
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
