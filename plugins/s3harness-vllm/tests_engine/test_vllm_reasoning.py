"""Thinking models, settings of generation, and what is recorded of the caches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from s3harness_transformers.tiny import tiny_model
from s3harness_transformers.tiny.thinking import make_thinking
from vllm_reasoning_probe import SCHEMA

PROBE = Path(__file__).with_name("vllm_reasoning_probe.py")
OWN = {"do_sample": True, "temperature": 1.5, "top_k": 1, "repetition_penalty": 1.3}


@pytest.fixture(scope="module")
def probed(card, data, environment, tmp_path_factory) -> dict:
    """The answers of a thinking model whose checkpoint has a decoding of its own."""
    folder = tmp_path_factory.mktemp("thinking")
    weights = make_thinking(tiny_model("qwen3-vl", folder / "weights"))
    settings = json.loads((weights / "generation_config.json").read_text())
    (weights / "generation_config.json").write_text(json.dumps(settings | OWN))
    out = folder / "findings.json"
    command = [sys.executable, PROBE, *(str(path) for path in (card, weights, data, out))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def test_the_answer_after_the_reasoning_obeys_its_schema(probed):
    answers = probed["answers"]
    for name in ("off", "short", "long"):
        jsonschema.validate(json.loads(answers[name]["text"]), SCHEMA)
        assert answers[name]["status"] == "ok"
        assert set(answers[name]["choice_probabilities"]) == {"yes", "no"}
    assert answers["off"]["reasoning"] == ""
    assert answers["short"]["reasoning"]
    assert len(answers["long"]["reasoning"]) > len(answers["short"]["reasoning"])


def test_reasoning_that_does_not_end_is_cut_and_never_an_answer(probed):
    cut = probed["answers"]["cut"]
    assert (cut["status"], cut["text"]) == ("cut", "")
    assert cut["reasoning"]


def test_top_k_and_repetition_penalty_and_the_checkpoints_own_decoding(probed):
    answers = probed["answers"]
    # The likeliest token alone is what greedy decoding takes.
    assert answers["top_k"]["text"] == answers["greedy"]["text"]
    assert answers["penalty"]["text"] != answers["greedy"]["text"]
    assert answers["own"]["text"] == answers["penalty"]["text"]


def test_caches_and_decoding_are_recorded(probed):
    facts = probed["facts"]
    # Not with drafts by n-grams, with which vLLM 0.32 ended on the CPU at the first request.
    assert "speculative" not in facts
    assert facts["prefix_caching"] is True
    assert facts["reasoning_parser"] == "deepseek_r1"
    assert facts["own_decoding"] == OWN
