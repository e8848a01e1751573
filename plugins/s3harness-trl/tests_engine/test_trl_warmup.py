"""The warm-up of the vision part: it learns what is seen, and no side from a mirrored room."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from conftest import s3harness
from s3harness_trl.warmup import Pictures
from safetensors.torch import load_file

from s3harness.dataset.run_card import FILE

LEFT, RIGHT, NEITHER = (1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 0.0, 0.0)
NAMES = ("tonic", "tonic/left", "tonic/right")


def pictures(shown):
    """Pictures of (truth, whether mirrored, how many)."""
    truth = np.array([told for told, _, count in shown for _ in range(count)], dtype=np.float32)
    mirrored = np.array([which for _, which, count in shown for _ in range(count)])
    return Pictures(np.zeros((len(truth), 4, 4, 3), np.uint8), truth, mirrored, NAMES)


def test_whether_a_picture_is_mirrored_tells_no_side():
    """Three of four patients move the right arm, so three of four mirrored ones move the left."""
    made = pictures([(RIGHT, False, 30), (LEFT, False, 10), (RIGHT, True, 10), (LEFT, True, 30), (NEITHER, False, 5)])
    weights = made.weights
    assert (weights[:, 0] == 1).all(), "whether there is a sign is as common in either"
    for output in (1, 2):
        totals = {
            (side, which): weights[(made.truth[:, output] == side) & (made.truth[:, 0] == 1) & (made.mirrored == which)]
            for side in (0.0, 1.0)
            for which in (False, True)
        }
        assert {key: float(of[:, output].sum()) for key, of in totals.items()} == pytest.approx(
            dict.fromkeys(totals, 20)
        )
        assert (weights[made.truth[:, 0] == 0, output] == 1).all()


def test_pictures_that_were_never_mirrored_weigh_the_same():
    assert (pictures([(RIGHT, False, 3), (LEFT, False, 1)]).weights == 1).all()


def test_the_vision_part_is_taught_and_the_words_are_left_alone(said, model, tmp_path):
    out = tmp_path / "warm"
    words = [word for word in said("warmup", model, out, "--balance none") if word != "--no-mirror"]
    code, printed = s3harness([*words, "-o", "steps=4", "-o", "batch_size=8", "-o", "probe_every=2"])
    assert code == 0, printed
    before, after = (load_file(path / "model.safetensors") for path in (model, out))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("visual" in name for name in changed)
    card = json.loads((out / FILE).read_text())
    assert card["stage"] == "warmup"
    assert [point["step"] for point in card["result"]["curve"]] == [2, 4]
