"""The warm-up of the vision part: it learns the signs, and no side from a mirrored room."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from s3harness_trl.warmup import LabelledPieces
from safetensors.torch import load_file
from training_commands import s3harness

from s3harness.dataset.run_card import FILE

LEFT, RIGHT, NEITHER = (1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 0.0, 0.0)
NAMES = ("tonic", "tonic/left", "tonic/right")


def labelled_frames(cases):
    """Frames of (labels, is mirrored, count)."""
    labels = np.array([frame_labels for frame_labels, _, count in cases for _ in range(count)], dtype=np.float32)
    mirrored = np.array([which for _, which, count in cases for _ in range(count)])
    return LabelledPieces(np.zeros((len(labels), 4, 4, 3), np.uint8), labels, mirrored, NAMES)


def test_mirroring_gives_no_side_away():
    """Three of four patients move the right arm, so three of four mirrored ones move the left."""
    frames = labelled_frames(
        [(RIGHT, False, 30), (LEFT, False, 10), (RIGHT, True, 10), (LEFT, True, 30), (NEITHER, False, 5)]
    )
    weights, labels = frames.weights, frames.labels
    assert (weights[:, 0] == 1).all(), "whether there is a sign is as common in either"
    for output in (1, 2):
        totals = {
            (side, flag): weights[(labels[:, output] == side) & (labels[:, 0] == 1) & (frames.mirrored == flag)]
            for side in (0.0, 1.0)
            for flag in (False, True)
        }
        assert {key: float(of[:, output].sum()) for key, of in totals.items()} == pytest.approx(
            dict.fromkeys(totals, 20)
        )
        assert (weights[labels[:, 0] == 0, output] == 1).all()


def test_frames_weigh_the_same_where_none_is_mirrored():
    assert (labelled_frames([(RIGHT, False, 3), (LEFT, False, 1)]).weights == 1).all()


def test_the_vision_part_is_trained_and_the_language_model_is_left_alone(arguments, model, tmp_path):
    out = tmp_path / "warm"
    words = [word for word in arguments("warmup", model, out, "--balance none") if word != "--no-mirror"]
    code, printed = s3harness([*words, "-o", "steps=4", "-o", "batch_size=8", "-o", "probe_every=2"])
    assert code == 0, printed
    before, after = (load_file(path / "model.safetensors") for path in (model, out))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("visual" in name for name in changed)
    card = json.loads((out / FILE).read_text())
    assert card["stage"] == "warmup"
    assert [point["step"] for point in card["result"]["curve"]] == [2, 4]
