"""``s3harness run --backend transformers``: all seven tasks, killed and resumed, and errors of the call."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

import jsonschema
import pytest
from s3harness_synth.dataset import synthesize

from s3harness.cli import main

FRAMES = 4
CARD = f"""
schema: s3harness/model/v1
name: small
title: A model of random weights
weights: null
family: qwen3-vl
modalities: [video]
engines:
  vllm:
    dtype: float32
    max_model_len: 8192
    enforce_eager: true
    block_size: 32
    max_num_seqs: 32
    mm_processor_kwargs: {{size: {{shortest_edge: 4096, longest_edge: 1000000}}}}
protocols:
  paper:
    samplers:
      sliding_windows: {{window_s: 30, stride_s: 25, frames: {FRAMES}, max_pixels: 8192}}
      event_clip: {{frames: {FRAMES}, max_pixels: 8192}}
      onset_window: {{window_s: 60, placement: centred, frames: {FRAMES}, max_pixels: 8192}}
      uniform_frames: {{frames: {FRAMES}, max_pixels: 8192}}
    generation: {{temperature: 0, max_tokens: 48}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two small synthetic videos."""
    out = tmp_path_factory.mktemp("data") / "two"
    synthesize(out, videos=2, seed=4, resolution=(96, 64), fps=4, duration_s=20.0)
    return out


@pytest.fixture(scope="module")
def words(tiny, data, tmp_path_factory):
    """The words of a run of all tasks into a directory."""
    card = tmp_path_factory.mktemp("card") / "small.yaml"
    card.write_text(CARD, encoding="utf-8")
    cache = tmp_path_factory.mktemp("cache")

    def of(out, *more, weights=tiny["qwen3-vl"], model=card):
        words = ["run", "--backend", "transformers", "--model", model, "--weights", weights, "--data", data]
        words += ["--protocol", "paper", "--out", out, "--cache", cache, "-o", "batch_size=8", *more]
        return [str(word) for word in words]

    return of


@pytest.fixture(scope="module")
def undisturbed(words, tmp_path_factory):
    """The directory of a finished run of all tasks."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    code, printed = s3harness(words(out))
    assert code == 0, printed
    return out


def s3harness(arguments):
    """The command line in this process: its exit code and what it printed."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed), pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), printed.getvalue()


def responses(run):
    return [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]


def answered(run):
    return {line["id"]: line["text"] for line in responses(run)}


def test_all_seven_tasks_are_run_and_scored(undisturbed):
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    scores = json.loads((undisturbed / "scores.json").read_text())
    tasks = {score["task"].split("/")[1][:5] for score in scores["scores"]}
    assert tasks == {f"task{n}" for n in range(1, 8)}
    assert manifest["status"] == "complete" and manifest["failed"] == 0
    assert manifest["requests"] == len(responses(undisturbed)) > 40
    assert manifest["engine"]["dtype"] == "float32" and manifest["engine"]["structured"].startswith("xgrammar")
    (entry,) = manifest["identities"]
    assert entry["identity"]["transformers"] == manifest["engine"]["transformers"]
    assert len(entry["identity"]["config_sha256"]) == 16
    assert manifest["tokens"]["completion"] > 0


def test_the_manifest_knows_weights_by_what_they_are(undisturbed, tiny):
    text = (undisturbed / "manifest.json").read_text()
    assert json.loads(text)["run"]["model"]["weights"].startswith("local:")
    assert str(tiny["qwen3-vl"]) not in text and str(tiny["qwen3-vl"].parent) not in text


def test_every_whole_answer_has_its_form_and_every_other_is_cut(undisturbed):
    schema = {
        "type": "object",
        "required": ["timestamp"],
        "properties": {"timestamp": {"type": "string", "pattern": "^[0-9]{1,2}:[0-5][0-9](\\.[0-9]{1,3})?$"}},
    }
    boundaries = [line for line in responses(undisturbed) if "task4" in line["task"]]
    sides = [line for line in responses(undisturbed) if "task3" in line["task"]]
    assert {line["status"] for line in responses(undisturbed)} <= {"ok", "cut"}
    assert boundaries and sides
    for line in boundaries:
        assert line["status"] == "ok"
        jsonschema.validate(json.loads(line["text"]), schema)


def test_a_run_that_was_killed_ends_as_one_that_was_not(undisturbed, words, tmp_path):
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-m", "s3harness", *words(out)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    journal, deadline = out / "responses.jsonl", time.monotonic() + 240
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 5):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = journal.read_bytes().count(b"\n")
    code, printed = s3harness(words(out, "--resume"))
    assert code == 0, printed
    assert 5 <= before < len(answered(undisturbed))
    assert len(responses(out)) == len(answered(out)) == len(answered(undisturbed))
    assert answered(out) == answered(undisturbed)
    assert (out / "scores.json").read_text() == (undisturbed / "scores.json").read_text()


def test_audio_flamingo_gets_questions_about_audible_signs_alone(words, tiny, tmp_path):
    out = tmp_path / "heard"
    code, printed = s3harness(words(out, weights=tiny["audio-flamingo"], model="audio-flamingo-3"))
    assert code == 0, printed
    questions = {(line["task"].split("/")[1][:5], line["item"].rsplit("/", 1)[1]) for line in responses(out)}
    assert questions <= {("task1", "ictal_vocalization"), ("task1", "verbal_responsiveness")}
    assert ("task1", "ictal_vocalization") in questions


def test_vllm_gives_the_same_answers(undisturbed, words, tmp_path):
    """Same prompts, frames, times and grammar; in float32 the two engines' sums differ too little to matter."""
    out = tmp_path / "vllm"
    command = [word.replace("transformers", "vllm") if word == "transformers" else word for word in words(out)]
    at = command.index("batch_size=8") - 1
    variables = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "s3harness", *command[:at], *command[at + 2 :]],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | variables | {"VLLM_CONFIG_ROOT": str(tmp_path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    ours, theirs = ({line["id"]: line for line in responses(run)} for run in (undisturbed, out))
    assert ours.keys() == theirs.keys()
    assert [line["prompt_tokens"] for line in ours.values()] == [theirs[i]["prompt_tokens"] for i in ours]
    assert {i: line["text"] for i, line in ours.items()} == {i: line["text"] for i, line in theirs.items()}
    ours, theirs = ({i: line.get("choice_probabilities") for i, line in run.items()} for run in (ours, theirs))
    assert sum(probabilities is not None for probabilities in ours.values()) > 20
    for i, probabilities in ours.items():
        assert probabilities == (None if theirs[i] is None else pytest.approx(theirs[i], abs=1e-4))


@pytest.mark.parametrize(
    ("option", "part"),
    [
        ("batchsize=4", "batch_size"),
        ("min_version=1", "batch_size"),
        ("batch_size=0", "from 1"),
        ("dtype=float8", "bfloat16"),
        ("trust_remote_code=perhaps", "true or false"),
        ("adapter=nowhere", "adapter_config.json"),
    ],
)
def test_a_wrong_option_is_an_error_of_the_call(words, tmp_path, option, part):
    code, printed = s3harness(words(tmp_path / "run", "-o", option))
    assert code == 2 and part in printed
    assert not (tmp_path / "run").exists()


def test_weights_that_are_nowhere_say_what_to_do(words, tmp_path):
    command = words(tmp_path / "run", model="qwen3-vl-8b")
    at = command.index("--weights")
    done = subprocess.run(
        [sys.executable, "-m", "s3harness", *command[:at], *command[at + 2 :]],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")},
    )
    assert done.returncode == 1
    assert "Qwen/Qwen3-VL-8B-Instruct" in done.stderr and "--weights DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_library_is_named_with_what_to_install(words, tmp_path):
    code = "import sys; sys.modules['torch'] = None; from s3harness.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "needs torch: pip install" in done.stderr
