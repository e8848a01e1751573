"""A card derived from a checkpoint's own files has the figures of the released models, each with its source."""

from __future__ import annotations

from types import SimpleNamespace as Case

import pytest

from s3harness.specs.derivation.checkpoint import read_checkpoint
from s3harness.specs.derivation.derive import DerivedCard, derive
from s3harness.specs.derivation.families import family_rule
from s3harness.specs.geometry import TextGeometry, Thinking, VisionGeometry
from s3harness.specs.models import load_model
from tests.specs.released_configs import RELEASED, VL_TEMPLATE, write_files, write_released

SHIPPED = {
    "Qwen2.5-VL-7B-Instruct": "qwen2.5-vl-7b",
    "Qwen3-VL-8B-Instruct": "qwen3-vl-8b",
    "Qwen2.5-Omni-7B": "qwen2.5-omni-7b",
    "Qwen3-Omni-30B-A3B-Instruct": "qwen3-omni-30b-a3b",
    "InternVL3_5-8B-HF": "internvl3.5-8b",
    "audio-flamingo-3-hf": "audio-flamingo-3",
}

OTHERS = {
    "gemma-3-4b-it": Case(
        clip_form="images",
        context_length=131072,
        vision=VisionGeometry(patch_size=14, image_size=896, tokens_per_image=256),
        text=TextGeometry(layers=34, heads=8, kv_heads=4, head_dim=256),
        thinking=None,
    ),
    "GLM-4.1V-9B-Thinking": Case(
        clip_form="video",
        context_length=65536,
        vision=VisionGeometry(
            patch_size=14,
            merge_size=2,
            temporal_patch_size=2,
            image_pixels=(12544, 9633792),
            clip_pixels=(12544, 47040000),
            text_per_frame=4,
        ),
        text=TextGeometry(layers=40, heads=32, kv_heads=2, head_dim=128),
        thinking=Thinking(by_default=True),
    ),
    "llava-onevision-qwen2-7b-ov-hf": Case(
        clip_form="video",
        context_length=32768,
        vision=VisionGeometry(patch_size=14, image_size=384, tokens_per_image=729, tokens_per_frame=196, max_tiles=10),
        text=TextGeometry(layers=28, heads=28, kv_heads=4, head_dim=128),
        thinking=None,
    ),
    "SmolVLM2-2.2B-Instruct": Case(
        clip_form="video",
        context_length=8192,
        vision=VisionGeometry(
            patch_size=14, merge_size=3, image_size=384, tokens_per_image=81, max_tiles=17, text_per_frame=12
        ),
        text=TextGeometry(layers=24, heads=32, kv_heads=32, head_dim=64),
        thinking=None,
    ),
    "Qwen3-8B": Case(
        clip_form="video",
        context_length=40960,
        vision=None,
        text=TextGeometry(layers=36, heads=32, kv_heads=8, head_dim=128),
        thinking=Thinking(by_default=True, switch="enable_thinking"),
    ),
    "a model of next week": Case(
        clip_form="video",
        context_length=100000,
        vision=VisionGeometry(
            patch_size=16,
            merge_size=2,
            temporal_patch_size=2,
            image_pixels=(1024, 1048576),
            clip_pixels=(2048, 8388608),
            text_per_frame=9,
        ),
        text=TextGeometry(layers=12, heads=16, kv_heads=4, head_dim=64),
        thinking=None,
    ),
}


@pytest.fixture
def derived(tmp_path):
    """Derive the card of files, by the name of a released model or given as they are."""

    def derive_card(files) -> DerivedCard:
        directory = write_released(files, tmp_path) if isinstance(files, str) else write_files(files, tmp_path)
        return derive(read_checkpoint(directory))

    return derive_card


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_of_a_released_model_is_the_one_that_is_shipped(derived, name):
    card, shipped = derived(name).card, load_model(SHIPPED[name])
    compared = (
        "family",
        "modalities",
        "clip_form",
        "model_type",
        "context_length",
        "vision",
        "audio",
        "text",
        "thinking",
    )
    assert {field: getattr(card, field) for field in compared} == {field: getattr(shipped, field) for field in compared}


@pytest.mark.parametrize("name", OTHERS)
def test_the_card_of_a_model_without_a_written_one_has_its_figures(derived, name):
    card = derived(name).card
    assert {field: getattr(card, field) for field in vars(OTHERS[name])} == vars(OTHERS[name])


@pytest.mark.parametrize("name", RELEASED)
def test_every_value_has_a_source(derived, name):
    result = derived(name)
    for field in ("family", "modalities", "context_length", "text.layers", "model_type", "chat_template"):
        assert result.sources[field]
    for record in ("vision", "audio"):
        if getattr(result.card, record) is not None:
            assert any(field.startswith(f"{record}.") for field in result.sources)


def test_a_model_that_no_code_has_named_is_not_in_the_table(derived):
    assert family_rule("zebra_vision") == family_rule("")
    assert derived("a model of next week").card.family == "zebra-vision"


def test_a_model_of_text_alone_takes_nothing_else(derived):
    result = derived("Qwen3-8B")
    assert result.card.modalities == ()
    assert "takes text alone" in result.notes[0]
    assert result.card.asked_modalities() == ("video",)


def test_the_sampling_of_the_checkpoint_is_stated_and_not_taken_over(derived):
    card = derived("Qwen3-VL-8B-Instruct").card
    assert card.generation == {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20}


def test_the_name_of_the_directory_changes_nothing(tmp_path):
    cards = [
        derive(read_checkpoint(write_released("gemma-3-4b-it", tmp_path / name))).card
        for name in ("Qwen2.5-VL-7B", "model")
    ]
    assert cards[0] == cards[1]


@pytest.mark.parametrize(
    ("template", "thinking"),
    [
        ("{% if enable_thinking %}<think>{% endif %}", Thinking(by_default=False, switch="enable_thinking")),
        ("{% if not enable_thinking %}</think>{% endif %}", Thinking(by_default=False, switch="enable_thinking")),
        (
            "{{ '' if enable_thinking is defined and not enable_thinking else '<think>' }}",
            Thinking(by_default=True, switch="enable_thinking"),
        ),
        ("{% if enable_thinking == false %}x{% endif %}", Thinking(by_default=True, switch="enable_thinking")),
        ("{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}", Thinking(by_default=True)),
        ("{% if add_generation_prompt %}<|assistant|><think></think>{% endif %}", None),
        ("{{ messages }}", None),
    ],
)
def test_reasoning_is_as_the_chat_template_has_it(derived, template, thinking):
    files = dict(RELEASED["Qwen3-8B"]) | {"chat_template.jinja": template}
    assert derived(files).card.thinking == thinking


def test_a_chat_template_that_cannot_be_parsed_is_said_to_be_one(derived):
    files = dict(RELEASED["Qwen3-VL-8B-Instruct"]) | {"chat_template.jinja": "{% if %}" + VL_TEMPLATE}
    result = derived(files)
    assert any("chat template cannot be parsed" in note for note in result.notes)
    assert result.card.vision is not None


def test_a_chat_template_is_never_run(derived, tmp_path):
    bomb = "{% for i in range(10**12) %}{{ ''.__class__ }}{% endfor %}{% if enable_thinking %}{{ 1/0 }}{% endif %}"
    card = derived(dict(RELEASED["Qwen3-8B"]) | {"chat_template.jinja": bomb}).card
    assert card.chat_template.variables == ("enable_thinking",)


def test_parameters_are_counted_by_headers_or_by_the_index(derived, tmp_path):
    config = RELEASED["Qwen3-8B"]["config.json"] | {"torch_dtype": "bfloat16"}
    index = {"metadata": {"total_size": 16_381_470_720}, "weight_map": {}}
    files = dict(RELEASED["Qwen3-8B"]) | {"config.json": config, "model.safetensors.index.json": index}
    assert derived(files).card.parameters_b == pytest.approx(8.190735)
    header = b'{"a": {"dtype": "F32", "shape": [1000, 2000], "data_offsets": [0, 8000000]}, "__metadata__": {}}'
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert derived(files).card.parameters_b == 0.002
    # A header that says to be larger than any is not read, and costs the number alone.
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 8)
    assert derived(files).card.parameters_b is None
