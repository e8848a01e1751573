"""GRPO: rewards are metrics, the gate comes first, collapse ends training, and resuming is exact."""

from __future__ import annotations

import json

import pytest
import torch
from s3harness_trl.callbacks import MonitorCallback
from safetensors.torch import load_file
from training_commands import TUNING, s3harness

from s3harness import ItemMean
from s3harness.dataset.run_card import FILE
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import RegistryEntry
from s3harness.training import monitor

GROUPS = f"{TUNING} -o answers=2 -o max_answer_tokens=6 -o lora_rank=0"


@pytest.fixture(scope="module")
def spoken(arguments, model, tmp_path_factory):
    """A model that has learnt how answers are written."""
    out = tmp_path_factory.mktemp("spoken") / "sft"
    more = "-o batch_size=8 -o steps=30 -o lora_rank=0 -o learning_rate=3e-3 -o blank_samples=0 -o vision=false"
    code, printed = s3harness(arguments("sft", model, out, more + " -o checkpoint_every=0"))
    assert code == 0, printed
    return out


@pytest.fixture(scope="module")
def rewarded(arguments, spoken, tmp_path_factory):
    """The directory of a model after five steps of GRPO."""
    out = tmp_path_factory.mktemp("rewarded") / "grpo"
    code, printed = s3harness(arguments("grpo", spoken, out, f"{GROUPS} -o steps=5"))
    assert code == 0, printed
    return out


def lines(directory):
    return [json.loads(line) for line in (directory / "training_log.jsonl").read_text().splitlines()]


def test_rewards_of_each_task_and_all_else_are_noted_step_by_step(rewarded):
    steps = [line for line in lines(rewarded) if "tasks" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5]
    for line in steps:
        for task in line["tasks"].values():
            assert set(task) >= {"reward", "commonest", "coverage", "length", "repetition", "cut"}
            assert 0 <= task["reward"] <= 1
    assert any(task["coverage"] > 0 for line in steps for task in line["tasks"].values())
    assert any("kl" in line for line in lines(rewarded))


def test_the_card_names_rewards_floors_and_the_training_before(rewarded):
    card = json.loads((rewarded / FILE).read_text())
    assert card["stage"] == "grpo" and card["before"]["stage"] == "sft"
    (reward,) = card["rewards"]
    assert reward["name"] == "task3_laterality_balanced_accuracy" and reward["floors"]


def test_the_trained_model_is_probed_with_changed_clips_of_held_out_patients(rewarded):
    probes = json.loads((rewarded / FILE).read_text())["result"]["probes"]
    views = [probe["view"] for probe in probes]
    # The data set holds out few patients: what can be changed of their clips depends on their sides.
    assert views[0] == "blank" and set(views) <= {"blank", "mirrored", "swapped"}
    for probe in probes:
        assert probe["samples"] >= probe["patients"] >= 1
        assert probe["loss"] == pytest.approx(probe["reward"] - probe["changed_reward"])
    assert lines(rewarded)[-1]["probes"] == probes
    gate = json.loads((rewarded / "gate.json").read_text())
    assert gate["refused"] == [] and gate["payments"]


def test_rewards_change_the_weights(rewarded, spoken):
    before, after = (load_file(path / "model.safetensors") for path in (spoken, rewarded))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_grpo_that_was_interrupted_ends_with_the_same_weights(arguments, spoken, rewarded, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    on_step_end = MonitorCallback.on_step_end

    def stop(self, args, state, control, **kwargs):
        on_step_end(self, args, state, control, **kwargs)
        if state.global_step == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MonitorCallback, "on_step_end", stop)
        s3harness(arguments("grpo", spoken, broken, f"{GROUPS} -o steps=5"))
    assert not (broken / FILE).exists()
    code, printed = s3harness([*arguments("grpo", spoken, broken, f"{GROUPS} -o steps=5"), "--resume"])
    assert code == 0, printed
    first, second = (load_file(path / "model.safetensors") for path in (rewarded, broken))
    assert all(torch.equal(first[name], second[name]) for name in first)


def begins():
    """A metric that does not mind what follows the truth."""
    return ItemMean(lambda pair: float(tuple(pair.prediction.value or ())[: len(pair.reference.truth)] == _signs(pair)))


def _signs(pair):
    return tuple(name for name, _ in pair.reference.truth)


def test_a_reward_that_pays_for_nothing_is_refused_with_the_table(arguments, model, tmp_path, monkeypatch):
    entry = RegistryEntry(kind="metric", name="begins", target=f"{__name__}:begins", package="tests", version="0")
    monkeypatch.setitem(manager().registry.entries, ("metric", "begins"), entry)
    words = arguments("grpo", model, tmp_path / "out", GROUPS)
    words[words.index("--tasks") + 1] = "5"
    code, printed = s3harness([*words, "--rewards", "5:begins"])
    assert code == 1
    assert "the truth, then all signs" in printed and "100%" in printed and "refused: task5_begins" in printed
    assert not (tmp_path / "out").exists()
    code, printed = s3harness([*words, "--rewards", "authors"])
    assert code == 2 and "--accept-collapse" in printed


def test_refused_rewards_train_on_the_word_for_it_and_a_collapse_is_a_warning(arguments, model, tmp_path, monkeypatch):
    monkeypatch.setattr("s3harness.training.session.CollapseLimits", lambda: monitor.CollapseLimits(window=8))
    out = tmp_path / "out"
    words = arguments("grpo", model, out, f"{GROUPS} -o steps=3 -o probe_samples=0")
    words[words.index("--tasks") + 1] = "4"
    code, printed = s3harness([*words, "--rewards", "authors", "--accept-collapse"])
    assert code == 0, printed
    assert "window_centre" in printed and "refused, and is used" in printed and "training goes on" in printed
    assert "the gradient is zero" in printed
    card = json.loads((out / FILE).read_text())
    assert card["collapse_accepted"] is True and card["rewards"][0]["name"] == "authors_task4"
    assert json.loads((out / "gate.json").read_text())["refused"] == ["authors_task4"]
    assert [line for line in lines(out) if "collapse" in line] and lines(out)[0]["no_spread"] == 1.0


def test_training_stops_where_the_model_gives_one_answer(arguments, model, tmp_path, monkeypatch):
    """A model that was never taught gives nothing that can be read."""
    few = monitor.CollapseLimits(window=8)
    monkeypatch.setattr("s3harness.training.session.CollapseLimits", lambda: few)
    code, printed = s3harness(arguments("grpo", model, tmp_path / "out", f"{GROUPS} -o steps=5"))
    assert code == 1
    assert "s3/task3_laterality: collapsed" in printed and "can be read" in printed
    assert not (tmp_path / "out" / FILE).exists()
    assert (tmp_path / "out" / "training.json").exists()
