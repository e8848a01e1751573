"""One engine, asked in process: what it is shown, what it forgets, and what cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).with_name("vllm_probe.py")


@pytest.fixture(scope="module")
def seen(tiny, card, data, adapter, environment, tmp_path_factory) -> dict:
    """What the probe found."""
    out = tmp_path_factory.mktemp("probe") / "found.json"
    command = [sys.executable, PROBE, *(str(path) for path in (card, tiny, data, adapter, out))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text()) | {"stderr": done.stderr}


def test_the_times_that_a_model_reads_are_those_of_its_frames_in_the_clip(seen):
    times, clip = seen["timestamps"], seen["clip"]
    told = [sum(times[i : i + 2]) / 2 - clip["start_s"] for i in range(0, len(times), 2)]
    assert clip["start_s"] > 0
    assert seen["times_in_prompt"] == [f"{time:.1f}" for time in told]


def test_media_come_before_the_question_and_after_it_where_the_card_says_so(seen):
    first, last = seen["media_first"], seen["text_first"]
    assert first.index("<|video_pad|>") < first.index("QUESTION") < first.index("assistant")
    assert last.index("QUESTION") < last.index("<|video_pad|>") < last.index("assistant")
    assert "<|im_start|>system\nSYSTEM<|im_end|>" in first


def test_a_clip_is_handed_over_once_and_again_when_it_is_forgotten(seen):
    expected = {"adapted": 1, "first": 1, "second": 0, "after a reset": 1, "text alone": 0}
    assert seen["hand_overs"] == expected
    assert seen["second"] == seen["first"] == seen["after a reset"]
    assert seen["cached"]["second"] > 0


def test_a_request_of_text_alone_is_answered_from_its_prompt(seen):
    assert seen["text alone"]["completion_tokens"] > 0
    assert seen["text alone"]["prompt_tokens"] < seen["first"]["prompt_tokens"]


def test_an_adapter_changes_the_answer_to_that_of_transformers(seen):
    assert seen["adapted"]["text"] != seen["first"]["text"]
    assert seen["adapted"]["text"] == seen["adapted by transformers"]["text"]
    assert seen["first"]["text"] == seen["by transformers"]["text"]
    assert seen["facts"]["adapter"] == seen["facts by transformers"]["adapter"]


def test_an_answer_that_ends_at_the_limit_of_tokens_is_cut(seen):
    assert (seen["short"]["status"], seen["short"]["completion_tokens"]) == ("cut", 2)


@pytest.mark.parametrize(
    ("case", "name", "words"),
    [
        ("too long", "ContextOverflow", ["8192 tokens", "-o max_model_len"]),
        ("longer than the model may be", "UsageError", ["max_model_len"]),
        ("more than there is", "OutOfMemory", [" GiB) on startup", "(1.0, ", "a smaller -o gpu_memory_utilization=X"]),
    ],
)
def test_what_cannot_be_is_named_and_says_what_to_do(seen, case, name, words):
    assert seen["failures"][case]["name"] == name, seen["failures"][case]
    assert all(word in seen["failures"][case]["message"] for word in words), seen["failures"][case]


def test_an_engine_that_does_not_start_spills_no_traceback_over_the_terminal(seen):
    assert "Traceback" not in seen["stderr"]
