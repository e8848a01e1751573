"""A clip of large pictures → the tensors that vLLM hands to a model of each family, at the sizes of its card."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from s3harness_synth.dataset import synthesize
from s3harness_transformers.tiny import tiny_model

from s3harness.specs.models import load_model

SEEING = ("qwen2.5-vl-7b", "qwen3-vl-8b", "internvl3.5-8b", "qwen2.5-omni-7b", "qwen3-omni-30b-a3b")
"""A card of each family that sees."""

PROTOCOLS = ("strict", "paper")
CASES = [f"{name} {protocol}" for name in SEEING for protocol in PROTOCOLS]

# Of 1280 × 720, 602112 pixels a frame at most: steps of two frames, patches down and across, pixels of a patch's side.
GRIDS = {
    "qwen2.5-vl-7b strict": (4, 40, 74, 14),
    "qwen2.5-vl-7b paper": (4, 40, 74, 14),
    "qwen3-vl-8b strict": (30, 36, 64, 16),
    "qwen3-vl-8b paper": (60, 36, 64, 16),
    "qwen2.5-omni-7b strict": (4, 40, 74, 14),
    "qwen2.5-omni-7b paper": (4, 40, 74, 14),
    "qwen3-omni-30b-a3b strict": (4, 36, 64, 16),
    "qwen3-omni-30b-a3b paper": (4, 36, 64, 16),
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a tiny model for one card of each family that sees, by the name of the card."""
    out = tmp_path_factory.mktemp("weights-of-cards")
    for name in SEEING:
        tiny_model(load_model(name).family, out / name)
    return out


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose pictures are larger than any task shows them, and longer than a window of any card."""
    out = tmp_path_factory.mktemp("data") / "large"
    synthesize(out, videos=1, seed=4, resolution=(1280, 720), fps=2, duration_s=62.0)
    return out


@pytest.fixture(scope="module")
def comparisons(weights, large, environment, tmp_path_factory) -> dict:
    """The tensors of vLLM's processors compared with those of transformers."""
    out = tmp_path_factory.mktemp("inputs") / "findings.json"
    script = Path(__file__).with_name("vllm_model_inputs.py")
    command = [sys.executable, script, *(str(path) for path in (large, weights, out))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


@pytest.mark.parametrize("case", CASES)
def test_prompt_pictures_and_sound_are_those_of_the_transformers_backend(comparisons, case):
    comparison = comparisons[case]
    assert comparison["same_tokens"]
    assert comparison["pixels_apart"] == 0
    assert comparison.get("steps_apart", 0) == 0, "the seconds of a grid step"
    assert ("sound_apart" in comparison) is ("omni" in case)
    assert comparison.get("sound_apart", 0) == 0


@pytest.mark.parametrize("case", GRIDS)
def test_no_checkpoint_makes_pictures_smaller_than_the_card_says(comparisons, case):
    steps, down, across, side = GRIDS[case]
    assert comparisons[case]["grid"] == [steps, down, across]
    assert 0.95 * 602_112 < down * across * side**2 <= 602_112


def test_internvl_shows_every_frame_as_one_tile(comparisons):
    assert comparisons["internvl3.5-8b paper"]["shape"] == [8, 3, 56, 56]


@pytest.mark.parametrize(("name", "frames", "side"), [("qwen3-vl-8b", 120, 32), ("qwen2.5-vl-7b", 60, 28)])
def test_an_engine_has_room_for_the_longest_clip_of_its_card(comparisons, name, frames, side):
    assert comparisons[f"{name} room"] >= frames * 602_112 / (2 * side**2)
