"""Before a run: a model that gets nothing of a clip is refused, and one that sees and hears is run."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import pytest
from s3harness_synth.dataset import synthesize
from s3harness_transformers.tiny.checkpoint import HIDDEN_SIZE, TEXT_CONFIG, token_ids
from s3harness_transformers.tiny.tokenizer import CHAT, PAD, build_tokenizer, chat_template

from s3harness.cli import main

CARD = """
schema: s3harness/model/v1
name: {name}
title: A model of random weights
weights: null
family: some
modalities: [{modalities}]
"""


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    """A tiny Gemma 3, whose processor takes images, and of a video makes nothing."""
    import torch
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessor, Gemma3Processor

    torch.manual_seed(0)
    directory = tmp_path_factory.mktemp("gemma")
    attributes = {"boi_token": "<boi>", "eoi_token": "<eoi>", "image_token": "<image>"}
    tokenizer = build_tokenizer((PAD, *CHAT, *attributes.values()), chat_template(image="<boi>"), attributes)
    ids = {f"{name}_token_index": tokenizer.convert_tokens_to_ids(f"<{name}>") for name in ("boi", "eoi", "image")}
    text = TEXT_CONFIG | token_ids(tokenizer) | {"head_dim": 32, "sliding_window": 512}
    vision = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3Config(
        text_config=text,
        vision_config=vision | {"image_size": 56, "patch_size": 14},
        mm_tokens_per_image=4,
        image_token_id=ids["image_token_index"],
        boi_token_index=ids["boi_token_index"],
        eoi_token_index=ids["eoi_token_index"],
    )
    assert config.text_config.hidden_size == HIDDEN_SIZE
    model = Gemma3ForConditionalGeneration(config)
    # transformers begins with zeros here, which would make a picture of any content the same.
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)
    model.save_pretrained(directory)
    Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 56, "width": 56}),
        tokenizer=tokenizer,
        chat_template=tokenizer.chat_template,
        image_seq_length=4,
    ).save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs of Task 7 on two small videos."""
    folder = tmp_path_factory.mktemp("eyes")
    synthesize(folder / "data", videos=2, seed=4, resolution=(96, 64), fps=4, duration_s=20.0)

    def of(name, weights, modalities, *more):
        card, out = folder / f"{name}.yaml", folder / f"{name}{len(list(folder.iterdir()))}"
        card.write_text(CARD.format(name=name, modalities=modalities))
        words = ["run", "--backend", "transformers", "--model", card, "--weights", weights, "--tasks", "7"]
        words += ["--data", folder / "data", "--out", out, "--cache", folder / "cache", *more]
        err = io.StringIO()
        with redirect_stdout(io.StringIO()), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main([str(word) for word in [*words, "--sampling", "max_pixels=8192", "--sampling", "max_frames=8"]])
        manifest = out / "manifest.json"
        return int(ended.value.code or 0), err.getvalue(), json.loads(manifest.read_text()) if manifest.exists() else {}

    return of


def test_a_model_of_images_that_is_shown_video_is_refused_and_runs_on_images(run, gemma):
    code, err, manifest = run("gemma-like", gemma, "video", "-o", "clips=video")
    assert code == 2, err
    assert "gemma-like takes no video" in err and "-o clips=images" in err
    assert "eyes" not in manifest
    code, err, manifest = run("gemma-like", gemma, "video", "-o", "clips=images")
    assert code == 0, err
    (entry,) = manifest["eyes"]
    assert entry["video"]["status"] == "yes"
    assert entry["prompt_tokens"]["with_clip"] > entry["prompt_tokens"]["text_alone"]


def test_a_model_that_sees_and_hears_runs_and_its_manifest_holds_the_hash_of_its_inputs(run, tiny):
    hashes = set()
    for _ in range(2):
        code, err, manifest = run("omni", tiny["qwen2.5-omni"], "video, audio")
        assert code == 0, err
        (entry,) = manifest["eyes"]
        assert entry["video"]["status"] == entry["audio"]["status"] == "yes", entry
        hashes.add(entry["inputs_sha256"])
    assert len(hashes) == 1 and len(hashes.pop()) == 64
