"""One engine in this process: its prompts, its media cache, adapters, and the errors of what it cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).with_name("vllm_probe.py")


@pytest.fixture(scope="module")
def probed(tiny, card, data, adapter, environment, tmp_path_factory) -> dict:
    """The findings of the probe."""
    out = tmp_path_factory.mktemp("probe") / "findings.json"
    command = [sys.executable, PROBE, *(str(path) for path in (card, tiny, data, adapter, out))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text()) | {"stderr": done.stderr}


def test_the_times_in_the_prompt_are_those_of_the_frames_in_the_clip(probed):
    times, clip = probed["timestamps"], probed["clip"]
    expected = [sum(times[i : i + 2]) / 2 - clip["start_s"] for i in range(0, len(times), 2)]
    assert clip["start_s"] > 0
    assert probed["times_in_prompt"] == [f"{time:.1f}" for time in expected]


def test_media_come_before_the_question_and_after_it_where_the_card_says_so(probed):
    first, last = probed["media_first"], probed["text_first"]
    assert first.index("<|video_pad|>") < first.index("QUESTION") < first.index("assistant")
    assert last.index("QUESTION") < last.index("<|video_pad|>") < last.index("assistant")
    assert "<|im_start|>system\nSYSTEM<|im_end|>" in first


def test_a_clip_is_sent_once_and_again_when_it_is_evicted(probed):
    expected = {"adapted": 1, "first": 1, "second": 0, "after a reset": 1, "text alone": 0}
    assert probed["sent_media"] == expected
    assert probed["second"] == probed["first"] == probed["after a reset"]
    assert probed["cached"]["second"] > 0


def test_a_request_of_text_alone_is_answered_from_its_prompt(probed):
    assert probed["text alone"]["completion_tokens"] > 0
    assert probed["text alone"]["prompt_tokens"] < probed["first"]["prompt_tokens"]


def test_an_adapter_changes_the_answer_to_that_of_transformers(probed):
    assert probed["adapted"]["text"] != probed["first"]["text"]
    assert probed["adapted"]["text"] == probed["adapted by transformers"]["text"]
    assert probed["first"]["text"] == probed["by transformers"]["text"]
    assert probed["facts"]["adapter"] == probed["facts by transformers"]["adapter"]


def test_an_answer_that_ends_at_the_limit_of_tokens_is_cut(probed):
    assert (probed["short"]["status"], probed["short"]["completion_tokens"]) == ("cut", 2)


@pytest.mark.parametrize(
    ("case", "name", "words"),
    [
        ("too long", "ContextOverflow", ["8192 tokens", "-o max_model_len"]),
        ("longer than the model's context", "UsageError", ["max_model_len"]),
        (
            "too much memory",
            "OutOfMemory",
            [" GiB) on startup", "(1.0, ", "a smaller -o gpu_memory_utilization=X"],
        ),
    ],
)
def test_a_failure_is_named_and_says_what_to_do(probed, case, name, words):
    assert probed["failures"][case]["name"] == name, probed["failures"][case]
    assert all(word in probed["failures"][case]["message"] for word in words), probed["failures"][case]


def test_an_engine_that_does_not_start_spills_no_traceback_over_the_terminal(probed):
    assert "Traceback" not in probed["stderr"]
