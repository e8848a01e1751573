"""SFT: the checkpoint and its card, resuming that is exact, and evaluation of the model like any other."""

from __future__ import annotations

import json

import pytest
import torch
from s3harness_trl.callbacks import MonitorCallback
from s3harness_trl.errors import explained_out_of_memory
from safetensors.torch import load_file
from training_commands import TUNING, s3harness

from s3harness.dataset.run_card import FILE
from s3harness.errors import S3HarnessError


def weights(directory):
    return load_file(directory / "model.safetensors")


def lines(directory):
    return [json.loads(line) for line in (directory / "training_log.jsonl").read_text().splitlines()]


def test_a_checkpoint_is_whole_and_other_than_it_was(tuned, model):
    before, after = weights(model), weights(tuned)
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    assert {"config.json", "processor_config.json", "tokenizer.json", FILE} <= {path.name for path in tuned.iterdir()}


def test_the_card_has_the_training_and_the_comparison_with_grey_frames(tuned):
    card = json.loads((tuned / FILE).read_text())
    assert (card["stage"], card["clips"], card["audio"]) == ("sft", "video", "none")
    assert card["result"]["tuned"] == {"language": "lora", "vision": "lora"}
    assert card["trainer"]["package"].startswith("s3harness-trl")
    assert card["result"]["trained"]["of_them"] < card["result"]["trained"]["weights"] / 5
    assert [check["step"] for check in card["result"]["held_out"]] == [0, 2, 4]
    comparison = card["result"]["looks"]
    assert comparison["samples"] > 0 and comparison["worse_by"] == pytest.approx(
        comparison["blank"] - comparison["loss"]
    )
    assert [line["step"] for line in lines(tuned) if "loss" in line] == [1, 2, 3, 4]


class Stopped(BaseException):
    """The machine goes down."""


@pytest.mark.parametrize("lora", [0, 4])
def test_training_that_was_interrupted_ends_with_the_same_weights(arguments, model, tmp_path, monkeypatch, lora):
    more = f"{TUNING} -o steps=5 -o lora_rank={lora} -o blank_samples=0"
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    code, printed = s3harness(arguments("sft", model, whole, more))
    assert code == 0, printed

    def stop(self, args, state, control, **kwargs):
        if state.global_step == 3:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(MonitorCallback, "on_step_end", stop)
        with pytest.raises(Stopped):
            s3harness(arguments("sft", model, broken, more))
    assert not (broken / "model.safetensors").exists()
    code, printed = s3harness([*arguments("sft", model, broken, more), "--resume"])
    assert code == 0, printed
    assert "going on from step 2" in printed
    first, second = weights(whole), weights(broken)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert [line["step"] for line in lines(broken) if "loss" in line] == [1, 2, 3, 4, 5]


def test_a_training_may_end_in_the_middle_of_its_schedule(arguments, model, tuned, tmp_path):
    out = tmp_path / "half"
    more = f"{TUNING} -o steps=4 -o stop_after=2 -o lora_rank=4 -o blank_samples=0"
    code, printed = s3harness(arguments("sft", model, out, more))
    assert code == 0, printed
    assert json.loads((out / FILE).read_text())["result"]["steps"] == 2
    begun = [(line["loss"], line["learning_rate"]) for line in lines(tuned) if "loss" in line][:2]
    assert [(line["loss"], line["learning_rate"]) for line in lines(out) if "loss" in line] == begun


def test_the_checkpoint_is_evaluated_like_any_other_and_its_training_is_in_the_manifest(tuned, data, tmp_path):
    words = f"run --backend transformers --model qwen3-vl-8b --weights {tuned} --data {data} --tasks 3"
    words += f" --sampling max_frames=2 --sampling max_pixels=4096 --cache {tmp_path / 'cache'}"
    code, printed = s3harness([*words.split(), "--split", "test", "--out", tmp_path / "run"])
    assert code == 0, printed
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["engine"]["clips"] == "video"
    (training,) = manifest["run"]["trainings"]
    assert training["stage"] == "sft" and training["patients"]["training"] > 1
    assert "digests" not in json.dumps(manifest)
    code, printed = s3harness([*words.split(), "--out", tmp_path / "leaking"])
    assert code == 2
    assert "was trained on" in printed and "--split" in printed
    assert not (tmp_path / "leaking").exists()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("-o stepz=4", "stepz"),
        ("-o steps=0", "from 1"),
        ("-o packing=true", "not packed"),
        ("-o learning_rate=fast", "a number"),
        ("-o batch_size=6 -o accumulate=4", "cannot be divided"),
        ("-o max_tokens=20", "has"),
        ("-o sound=in_video", "--card"),
        ("-o keep_best=true", "--check-every"),
        ("-o report_to=carrier_pigeon", "tensorboard"),
        ("--held-out 0.2 --split nobody", "nobody"),
    ],
)
def test_a_wrong_call_is_named(arguments, model, tmp_path, more, why):
    code, printed = s3harness(arguments("sft", model, tmp_path / "out", more))
    assert code == 2 and why in printed


def test_a_directory_without_a_processor_is_named(arguments, model, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        (bare / name).write_bytes((model / name).read_bytes())
    code, printed = s3harness(arguments("sft", bare, tmp_path / "out"))
    assert code == 2 and "processor" in printed


def test_an_adapter_apart_is_evaluated_with_its_base_and_its_patients_are_known(arguments, model, data, tmp_path):
    out, words = tmp_path / "adapter", f"run --backend transformers --model qwen3-vl-8b --weights {model} --data {data}"
    more = f"{TUNING} -o steps=1 -o lora_rank=2 -o merge=false -o blank_samples=0"
    code, printed = s3harness(arguments("sft", model, out, more))
    assert code == 0, printed
    config = (out / "adapter_config.json").read_text()
    assert str(model) not in config and not (out / "model.safetensors").exists()
    words += f" --tasks 3 -o adapter={out} --sampling max_frames=2 --sampling max_pixels=4096"
    words += f" --cache {tmp_path / 'cache'}"
    code, printed = s3harness([*words.split(), "--split", "train", "--out", tmp_path / "leaking"])
    assert code == 2 and "was trained on" in printed
    code, printed = s3harness([*words.split(), "--split", "test", "--out", tmp_path / "run"])
    assert code == 0, printed
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["engine"]["clips"] == "video" and len(manifest["run"]["trainings"]) == 1


def test_too_little_memory_says_what_helps():
    with pytest.raises(S3HarnessError, match="batch_size"), explained_out_of_memory():
        torch.empty(1 << 55)
    with pytest.raises(RuntimeError, match="size"), explained_out_of_memory():
        torch.ones(2) + torch.ones(3)
