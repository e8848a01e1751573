"""A fault in what vLLM hands to its model is found by the receipt and named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from s3harness_synth.dataset import synthesize
from vllm_family_cases import WITH_CARD

SEEING = tuple(name for name, case in WITH_CARD.items() if "video" in case.card.modalities)
TIMED = tuple(name for name in SEEING if name.startswith("qwen") and WITH_CARD[name].card.clip_form == "video")
HEARING = tuple(name for name, case in WITH_CARD.items() if case.card.hears())

PLANTED = [
    *((name, "off by one", "frames off by one: each is the one after in the clip") for name in SEEING),
    *((name, "BGR", "BGR instead of RGB") for name in SEEING),
    *((name, "resized twice", "resized twice") for name in SEEING),
    *((name, "wrong fps", "wrong fps") for name in TIMED),
    *((name, "dropped times", "timestamps dropped") for name in TIMED),
    *((name, "audio rate", "audio at the wrong rate: 24000 Hz taken for 16000") for name in HEARING),
]


@pytest.fixture(scope="module")
def receipts(environment, tmp_path_factory) -> dict:
    """Receipts by family and fault."""
    folder = tmp_path_factory.mktemp("planted")
    synthesize(folder / "data", videos=1, seed=4, resolution=(96, 64), fps=8, duration_s=20.0)
    script = Path(__file__).with_name("vllm_planted_faults.py")
    command = [sys.executable, script, *(str(folder / name) for name in ("data", "work", "findings.json"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "findings.json").read_text())


@pytest.mark.parametrize("name", WITH_CARD)
def test_without_a_fault_the_inputs_are_those_of_the_models_own_processor(receipts, name):
    assert receipts[name]["none"]["equal"], receipts[name]["none"]
    assert receipts[name]["none"]["cause"] == ""


@pytest.mark.parametrize(("name", "fault", "cause"), PLANTED)
def test_a_planted_fault_is_found_and_named(receipts, name, fault, cause):
    receipt = receipts[name][fault]
    assert not receipt["equal"]
    assert receipt["cause"].startswith(cause), receipt
