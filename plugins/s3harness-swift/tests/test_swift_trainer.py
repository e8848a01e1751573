"""Around ms-swift: what it is launched with, what is left of it, and what is said where it fails.

The process launched here is a shell script in its place, which leaves what ms-swift 4.6 leaves; that ms-swift itself
takes the rows, rewards and arguments is shown by ``benchmarks/training/swift_steps.sh``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from s3harness import S3HarnessError, UsageError
from s3harness.cli import cli

STAND_IN = """#!/bin/sh
echo "$@" >> "$CALLS"
env | grep -E '^(MODEL|NPROC_PER_NODE|USE_AUDIO_IN_VIDEO|FPS|FPS_MAX_FRAMES)=' >> "$CALLS"
case "$1" in
  export) mkdir -p "$7"; cp "$3"/adapter_model.safetensors "$7"/model.safetensors; exit 0;;
esac
ls media | head -1 >> "$CALLS"
mkdir -p "$1/checkpoint-2"
[ "$1" = rlhf ] && folder=grpo || folder=sft
mkdir -p $folder/checkpoint-1 $folder/checkpoint-10
for name in adapter_config.json adapter_model.safetensors optimizer.pt args.json; do
  echo '{}' > $folder/checkpoint-10/$name
done
echo '{"loss": 2.5, "global_step/max_steps": "1/10"}' > $folder/logging.jsonl
echo '{"loss": 1.5, "global_step/max_steps": "10/10"}' >> $folder/logging.jsonl
echo "{'loss': '1.5'}"
if [ -e "$FAILS" ]; then
  echo "[rank0]: ValueError: the reason"
  echo "torch.ChildFailedError: exit code 1"
  exit 1
fi
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("swift") / "data"
    size = ("--videos", "12", "--seconds", "6", "--resolution", "64x48", "--fps", "4", "--seed", "2")
    made = CliRunner().invoke(cli, ["data", "synth", "--out", str(out), *size])
    assert made.exit_code == 0, made.output
    return out


@pytest.fixture
def swift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    command = tmp_path / "bin" / "swift"
    command.parent.mkdir()
    command.write_text(STAND_IN)
    command.chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAILS", str(tmp_path / "fails"))
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text('{"model_type": "qwen2_5_omni"}')
    return command


def train(data: Path, swift: Path, out: Path, *more: str, stage: str = "sft") -> Result:
    base = str(swift.parents[1] / "base")
    command = ["train", stage, "--trainer", "swift", "--model", base, "--card", "qwen2.5-omni-7b", "--data", str(data)]
    command += ["--tasks", "1", "--leave-out-constant", "--check-every", "0", "--out", str(out)]
    return CliRunner().invoke(cli, [*command, "-o", f"command={swift}", *more])


def test_the_weights_are_merged_and_nothing_of_patients_is_left(data: Path, swift: Path, tmp_path: Path) -> None:
    out = tmp_path / "tuned"
    result = train(data, swift, out, "-o", "gpus=4", "-o", "steps=10", "-o", "args=--lora_rank 16")
    assert result.exit_code == 0, result.output
    assert "'loss': '1.5'" in result.output
    calls = (tmp_path / "calls").read_text()
    assert calls.startswith("sft --model ") and "--max_steps 10 --lora_rank 16" in calls
    assert "NPROC_PER_NODE=4" in calls and "USE_AUDIO_IN_VIDEO=true" in calls
    assert f"MODEL={tmp_path / 'base'}" in calls
    # Task 1 shows 2 frames a second of these 6 s: all twelve of them are trained on.
    assert "FPS=2\n" in calls and "FPS_MAX_FRAMES=12\n" in calls
    assert ".mp4" in calls, "the clips are there while it trains"
    assert not (out / "swift").exists()
    names = {path.name for path in out.iterdir()}
    assert "model.safetensors" in names and not names & {"optimizer.pt", "args.json", "adapter_config.json"}
    card = json.loads((out / "s3harness-training.json").read_text())
    assert card["result"] == {
        "checkpoint": "checkpoint-10", "merged": True, "first_loss": 2.5, "last_loss": 1.5, "steps": "10",
    }  # fmt: skip
    assert card["audio"] == "in_video" and card["clips"] == "video"
    assert str(tmp_path) not in json.dumps(card), "no path in what goes along with weights"


def test_an_adapter_stays_apart_where_that_is_wanted(data: Path, swift: Path, tmp_path: Path) -> None:
    result = train(data, swift, tmp_path / "apart", "-o", "merge=false")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "apart" / "adapter_config.json").is_file()
    assert "export" not in (tmp_path / "calls").read_text()


def test_a_failure_names_its_reason_and_a_resumed_training_goes_on(data: Path, swift: Path, tmp_path: Path) -> None:
    (tmp_path / "fails").touch()
    out = tmp_path / "resumed"
    failed = train(data, swift, out)
    assert isinstance(failed.exception, S3HarnessError)
    assert "ValueError: the reason" in str(failed.exception) and "ChildFailed" not in str(failed.exception)
    assert "ChildFailed" in (out / "swift.log").read_text()
    (tmp_path / "fails").unlink()
    again = train(data, swift, out, "--resume")
    assert again.exit_code == 0, again.output
    last = (tmp_path / "calls").read_text().splitlines()
    assert any(f"--resume_from_checkpoint {out.resolve()}/swift/sft/checkpoint-10" in line for line in last)


def test_rewards_go_by_their_own_names(data: Path, swift: Path, tmp_path: Path) -> None:
    left_out = "without=deepspeed,use_vllm,vllm_mode,vllm_gpu_memory_utilization"
    result = train(data, swift, tmp_path / "paid", "-o", left_out, "-o", "merge=false", stage="grpo")
    assert result.exit_code == 0, result.output
    call = (tmp_path / "calls").read_text().splitlines()[0]
    assert call.startswith("rlhf ")
    assert "--reward_funcs task1_feature_balanced_accuracy --reward_weights 1" in call
    assert "vllm" not in call and "deepspeed" not in call and "--external_plugins reward_plugin.py" in call


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("-o", "command=no-such-swift"), "pip install 's3harness-swift[engine]'"),
        (("-o", "args=--dataset other.jsonl"), "--dataset is of s3harness"),
        (("-o", "args='open"), "-o args"),
        (("-o", "colour=red"), "colour"),
    ],
)
def test_a_wrong_call_is_refused_before_ms_swift_begins(
    data: Path, swift: Path, tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    result = train(data, swift, tmp_path / "refused", *more)
    assert isinstance(result.exception, UsageError), result.output
    assert words in str(result.exception)
    assert not (tmp_path / "calls").exists()
