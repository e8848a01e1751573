"""Several processes train one model: the same loss as a single one, also when they are killed and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from s3harness_trl.options import SftOptions
from s3harness_trl.tuning import samples_at_once
from safetensors.torch import load_file
from training_commands import TUNING, s3harness

from s3harness.cli import main
from s3harness.dataset.run_card import FILE
from s3harness.errors import UsageError

STEPS = 10
MORE = f"{TUNING} -o steps={STEPS} -o blank_samples=0 -o lora_rank=4"
FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
}
"""The environment that accelerate launch makes of the shipped configuration for FSDP."""


def losses(out):
    """Step → loss."""
    lines = [json.loads(line) for line in (out / "training_log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}


def close(out, single):
    first, second = losses(out), losses(single)
    assert first.keys() == second.keys()
    return all(first[step] == pytest.approx(second[step], abs=1e-3) for step in first)


def torchrun(words, **environment):
    """Start two processes that run a command."""
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "s3harness",
    ]
    return subprocess.Popen(
        [*launcher, *map(str, words)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def single(arguments, model, tmp_path_factory):
    """The directory of a model that one process trained."""
    out = tmp_path_factory.mktemp("single") / "out"
    code, printed = s3harness(arguments("sft", model, out, MORE))
    assert code == 0, printed
    return out


def check(out, single):
    """Two processes had the losses of one, and saved its weights."""
    assert close(out, single)
    card = json.loads((out / FILE).read_text())
    assert card["processes"] == 2
    assert [check["step"] for check in card["result"]["held_out"]] == [0, 5, 10]
    first, second = load_file(out / "model.safetensors"), load_file(single / "model.safetensors")
    assert first.keys() == second.keys()
    assert all(torch.allclose(first[name], second[name], atol=2e-3) for name in first)


CHECKED = f"{MORE} --check-every 5 --check-videos 2 -o max_answer_tokens=8"


def test_two_processes_train_like_one(arguments, model, single, tmp_path):
    process = torchrun(arguments("sft", model, tmp_path / "out", CHECKED))
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed[-3000:]
    check(tmp_path / "out", single)


def test_sharded_processes_that_were_killed_go_on_and_end_like_one(arguments, model, single, tmp_path):
    words = arguments("sft", model, tmp_path / "out", CHECKED)
    process = torchrun(words, **FSDP)
    wait_for(lambda: max(known_losses(tmp_path / "out"), default=0) >= 5 or process.poll() is not None)
    assert process.poll() is None, process.communicate()[0][-3000:]
    # The launcher starts each of them in a session of its own.
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (*map(int, workers), process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    resumed = torchrun([*words, "--resume"], **FSDP)
    printed, _ = resumed.communicate(timeout=600)
    assert resumed.returncode == 0, printed[-3000:]
    assert "going on from step 4" in printed
    check(tmp_path / "out", single)


def test_batches_of_worker_processes_are_the_same(arguments, model, single, tmp_path):
    out = tmp_path / "out"
    code, printed = s3harness(arguments("sft", model, out, MORE + " -o workers=1"))
    assert code == 0, printed
    assert losses(out) == losses(single)


def test_two_processes_reward_the_answers_of_both(arguments, model, tmp_path):
    out = tmp_path / "out"
    more = f"{TUNING} -o steps=2 -o answers=2 -o max_answer_tokens=4 -o lora_rank=0"
    process = torchrun(arguments("grpo", model, out, more))
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0, printed[-3000:]
    lines = [json.loads(line) for line in (out / "training_log.jsonl").read_text().splitlines()]
    counts = [sum(task["answers"] for task in line["tasks"].values()) for line in lines if "tasks" in line]
    # Of both steps, four answers each: the statistics are of all answers so far.
    assert counts[0] == 4 and len(counts) == 2
    assert (out / FILE).exists()


def test_a_batch_that_the_processes_cannot_share_is_refused():
    with pytest.raises(UsageError, match="among 2 processes"):
        samples_at_once(SftOptions(batch_size=3), 2)


def test_a_training_killed_at_ten_instants_ends_the_same(arguments, model, single, tmp_path):
    """In the middle of steps, and of the writing of checkpoints."""
    out = tmp_path / "out"
    words = arguments("sft", model, out, MORE)
    for number in range(10):
        child = forked([*words, *(["--resume"] if number else [])])
        checkpoint = out / "checkpoints" / f"checkpoint-{number + 1}"
        instant = checkpoint.exists if number % 2 else lambda number=number: number + 1 in known_losses(out)
        wait_for(lambda instant=instant, child=child: instant() or has_ended(child))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert not (out / FILE).exists()
    code, printed = s3harness([*words, "--resume"])
    assert code == 0, printed
    assert losses(out) == losses(single)
    first, second = load_file(out / "model.safetensors"), load_file(single / "model.safetensors")
    assert all(torch.equal(first[name], second[name]) for name in second)


def known_losses(out):
    """Step → loss, of a training under way."""
    try:
        return losses(out)
    except (OSError, ValueError):
        return {}


def forked(words):
    """Run a command in a copy of this process, which has imported the libraries already."""
    child = os.fork()
    if not child:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        try:
            main([str(word) for word in words])
        finally:
            os._exit(0)
    return child


def has_ended(child):
    # WNOWAIT: the process stays to be killed and waited for.
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def wait_for(condition):
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for 5 minutes"
        time.sleep(0.005)
