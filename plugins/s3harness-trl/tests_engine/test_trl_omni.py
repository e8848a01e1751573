"""An omni model with sound, from the warm-up of its audio tower to its evaluation."""

from __future__ import annotations

import json

import pytest
import torch
from s3harness_transformers.tiny import tiny_model
from safetensors.torch import load_file
from training_commands import TUNING, s3harness

from s3harness.dataset.run_card import FILE

SAMPLING = "--sampling max_frames=2 --sampling max_pixels=4096"
CARD = "qwen2.5-omni-7b"
TOWER = "thinker.audio_tower."

# transformers 5.19 makes an array of a tensor in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def omni(tmp_path_factory):
    """A Qwen2.5-Omni of a million random weights."""
    return tiny_model("qwen2.5-omni", tmp_path_factory.mktemp("omni") / "tiny")


@pytest.fixture(scope="module")
def train(sounding, tmp_path_factory):
    """Train a stage: the directory of the result."""
    folder = tmp_path_factory.mktemp("trained")

    def of(stage, model, name, more, tasks="1"):
        words = f"train {stage} --model {model} --card {CARD} --data {sounding} --out {folder / name} --tasks {tasks} "
        words += f"--split train --leave-out-constant --balance none --cache {folder / 'cache'} {SAMPLING} {more}"
        code, printed = s3harness(words.split())
        assert code == 0, printed
        return folder / name, printed

    return of


@pytest.fixture(scope="module")
def tuned(train, omni):
    """The model after SFT with its sound among the tokens of the video."""
    more = f"{TUNING} --check-every 2 -o steps=4 -o lora_rank=4 -o audio=false -o sound=in_video "
    more += "-o blank_samples=4 -o max_answer_tokens=6 -o keep_best=true -o patience=1"
    # Of few patients only Task 4 has a score.
    return train("sft", omni, "tuned", more, tasks="1,4")


def test_the_audio_tower_is_warmed_up_and_all_else_is_left_alone(train, omni):
    warm, _ = train("warmup", omni, "warm", "-o tower=audio -o steps=4 -o batch_size=8 -o probe_every=2 -o seconds=2")
    before, after = (load_file(path / "model.safetensors") for path in (omni, warm))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith(TOWER) for name in changed)
    assert (warm / "config.json").read_bytes() == (omni / "config.json").read_bytes()
    card = json.loads((warm / FILE).read_text())
    assert card["result"]["tuned"] == {"audio": "all"} and "audio" not in card


def test_sound_is_learnt_in_the_layout_of_the_released_model(tuned, omni):
    directory, printed = tuned
    card = json.loads((directory / FILE).read_text())
    assert (card["clips"], card["audio"]) == ("video", "in_video")
    assert card["result"]["tuned"] == {"language": "lora", "vision": "lora", "audio": "frozen"}
    assert card["result"]["looks"]["sound"]["samples"] > 0 and "with silence" in printed
    before, after = (load_file(path / "model.safetensors") for path in (omni, directory))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and not any(name.startswith(TOWER) for name in changed)


def test_the_checkpoint_that_did_best_on_held_out_patients_is_saved(tuned):
    card = json.loads((tuned[0] / FILE).read_text())
    checks = card["result"]["held_out"]
    skills = {
        check["step"]: [score["skill"] for score in check["scores"].values() if score["skill"] is not None]
        for check in checks
    }
    # The first evaluation is before training, where there is no checkpoint.
    best = max((step for step in skills if step), key=lambda step: sum(skills[step]) / len(skills[step]))
    assert card["result"]["best_step"] == best
    assert card["result"]["steps"] in (2, 4)


def test_rewards_and_evaluation_go_on_with_sound_in_the_video(train, tuned, sounding, tmp_path):
    more = f"{TUNING} --check-every 0 -o steps=1 -o answers=2 -o max_answer_tokens=6 -o lora_rank=0 -o beta=0.02"
    rewarded, _ = train("grpo", tuned[0], "rewarded", more)
    card = json.loads((rewarded / FILE).read_text())
    assert (card["audio"], card["before"]["audio"]) == ("in_video", "in_video")
    words = f"run --backend transformers --model {CARD} --weights {rewarded} --data {sounding} --tasks 1 --limit 1 "
    words += f"--split test --out {tmp_path / 'run'} --cache {tmp_path / 'cache'} {SAMPLING}"
    code, printed = s3harness(words.split())
    assert code == 0, printed
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["engine"]["audio"] == "in video"
