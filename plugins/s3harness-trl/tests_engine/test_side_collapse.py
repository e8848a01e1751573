"""Task 3 collapses to one side with the samples of the published training, and does not with balanced, mixed ones.

Real samples, rewards and held-out patients; a small policy, trained by GRPO. Three seeds, larger: benchmarks/training.
"""

from __future__ import annotations

import pytest
import torch

from benchmarks.training.side_collapse import ARM, HEAD, Sizes, run_arm, write_annotations

SIZES = Sizes(videos=300, patients=100, grpo_steps=400)
SEED = 1


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("collapse")
    data = write_annotations(folder / "data", SIZES)
    return {name: run_arm(data, folder, name, SEED, SIZES) for name in ("published", "ours")}


def test_the_published_samples_end_in_one_side_for_every_clip(results):
    for question in (HEAD, ARM):
        after = results["published"]["grpo"][question]
        assert after["commonest"] == "left" and after["share"] >= 0.9 and after["true_share"] < 0.7
        low, high = after["interval"]
        assert low < 0.5 < high


def test_balanced_answers_and_even_tasks_keep_both_sides(results):
    assert results["ours"]["share_of_task3"] == pytest.approx(1 / 3, abs=0.01)
    assert results["published"]["share_of_task3"] < 0.06
    for question in (HEAD, ARM):
        after = results["ours"]["grpo"][question]
        assert after["share"] <= 0.75
        assert after["balanced_accuracy"] > results["published"]["grpo"][question]["balanced_accuracy"]
