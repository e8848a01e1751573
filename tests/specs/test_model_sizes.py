"""The sizes that model cards state: each shipped card has those that tokens and memory are counted by."""

from __future__ import annotations

import pytest

from s3harness.specs.geometry import AudioGeometry, Thinking, VisionGeometry
from s3harness.specs.models import load_model, model_names, read_card

HEAD = "schema: s3harness/model/v1\nname: m\ntitle: M\nweights: null\nfamily: f\nmodalities: [video]\n"


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_card_has_the_sizes_of_what_its_model_takes(name):
    card = load_model(name)
    assert (card.vision is not None) == ("video" in card.modalities)
    assert (card.audio is not None) == card.hears()
    assert card.text is not None and card.text.heads % card.text.kv_heads == 0
    assert card.context_length is not None and card.model_type
    # An engine may be given less context than the model has, and never more.
    assert all(options.get("max_model_len", 1) <= card.context_length for options in card.engines.values())
    # Heads are spread evenly over the GPUs that the card asks for.
    assert card.text.heads % int(card.engines["vllm"]["tensor_parallel_size"]) == 0


def test_a_written_card_may_state_them_all(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(
        HEAD + "context_length: 4096\n"
        "vision: {patch_size: 16, merge_size: 2, clip_pixels: [null, 65536]}\n"
        "audio: {tokens_per_s: 12.5, max_s: null}\n"
        "thinking: {by_default: false, switch: enable_thinking}\n"
        "generation: {temperature: 0.7, top_k: 20, do_sample: true}\n"
    )
    card = read_card(path)
    assert card.vision == VisionGeometry(patch_size=16, merge_size=2, clip_pixels=(None, 65536))
    assert card.audio == AudioGeometry(tokens_per_s=12.5)
    assert card.thinking == Thinking(by_default=False, switch="enable_thinking")
    assert card.generation["top_k"] == 20


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("vision: {patch_size: 0}", "vision"),
        ("vision: {clip_pixels: [1]}", "clip_pixels"),
        ("audio: {max_s: 30}", "tokens_per_s must be given"),
        ("text: {layers: 2, heads: 2, kv_heads: 2}", "head_dim must be given"),
        ("vision: {patch: 16}", "patch_size"),
    ],
)
def test_a_wrong_size_is_named_with_its_line(tmp_path, field, message):
    path = tmp_path / "m.yaml"
    path.write_text(HEAD + field + "\n")
    with pytest.raises(Exception, match=message) as caught:
        read_card(path)
    assert "m.yaml:7" in str(caught.value)
