"""A model as large as a released one on this machine's GPUs: all seven tasks, tokens a second, and where the time goes.

    python benchmarks/gpu [--model qwen2.5-vl-7b] [--videos 20] [--lmms-eval PYTHON] [-o KEY=VALUE …]
    python benchmarks/gpu --tiny --videos 2      # tries the benchmark where there is no GPU

Needs the plugins s3harness-vllm, s3harness-transformers and s3harness-synth; no hub. The weights are random numbers,
which cost what real ones cost, but for answers: those run to their limit of tokens. Two runs are made by
``s3harness run --backend vllm``: one with an empty cache of decoded frames, one with a filled one, whose difference is
what decoding video costs. ``--lmms-eval`` names the Python of an environment with lmms-eval and vLLM, which then
answers the same prompts about the same clips (cut to files of their own, as it takes whole files alone).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A script's own folder alone is searched; the task of lmms-eval is shared with the other benchmark.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from clip_rows import write_rows
from device import DeviceLog
from large_models import MODELS, save_checkpoint
from lmms_eval_task import lmms_eval_command


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Costs of one command. Seconds of wall time; ``asking_s`` is from the first answer in the journal to the last."""

    name: str
    wall_s: float
    asking_s: float
    prompt_tokens: int
    answer_tokens: int
    answered: int
    cached: str
    idle_share: float | None
    peak_gib: float | None

    def row(self) -> str:
        """A row of the table."""
        idle = "–" if self.idle_share is None else f"{self.idle_share:.0%}"
        memory = "–" if self.peak_gib is None else f"{self.peak_gib:.1f}"
        rate = (self.prompt_tokens + self.answer_tokens) / self.asking_s if self.asking_s else 0.0
        cells = [self.name, f"{self.wall_s:.0f}", f"{self.asking_s:.0f}", str(self.answered), f"{rate:,.0f}"]
        cells += [f"{self.answer_tokens / self.asking_s if self.asking_s else 0:,.0f}", self.cached, idle, memory]
        return "| " + " | ".join(cells) + " |"


FRAMES, MAX_TOKENS = 60, 64
"""Of a clip and of an answer by lmms-eval."""

HEADER = (
    "| | wall s | asking s | answers | tokens/s | of them written | prefix cache | GPU idle | peak GiB |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(MODELS), default="qwen2.5-vl-7b")
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--tiny", action="store_true", help="a tiny model in place of the large one")
    parser.add_argument("--lmms-eval", metavar="PYTHON")
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1")
    with tempfile.TemporaryDirectory(prefix="s3harness-gpu-") as folder:
        work = Path(folder)
        harness("data", "synth", "--out", work / "data", "--videos", chosen.videos, "--seconds", chosen.seconds)
        weights = save_checkpoint(chosen.model, work / "weights", tiny=chosen.tiny)
        cold = measure(work, "empty cache", run_command(work, weights, chosen, "cold"), work / "cold")
        warm = measure(work, "filled cache", run_command(work, weights, chosen, "warm"), work / "warm")
        print(f"{chosen.model}{' (tiny)' if chosen.tiny else ''}, {chosen.videos} videos of {chosen.seconds:.0f} s\n")
        print("\n".join((HEADER, cold.row(), warm.row())))
        if chosen.lmms_eval:
            write_rows(work, chosen.model)
            form = "dtype=float32,enforce_eager=True" if chosen.tiny else "load_format=dummy"
            command, env = lmms_eval_command(
                chosen.lmms_eval,
                work / "lmms-eval",
                work / "rows.jsonl",
                model="vllm",
                arguments=f"model={weights},max_frame_num={FRAMES},{form}",
                max_tokens=MAX_TOKENS,
                batch_size=64,
            )
            print(measure(work, "lmms-eval", command, work / "lmms-eval", env).row())
        print(f"\ndecoding video: {1 - warm.asking_s / cold.asking_s:.0%} of the first run's time of asking")


def run_command(work: Path, weights: Path, chosen: argparse.Namespace, name: str) -> list[str]:
    """The command of one run; both share the cache of decoded frames."""
    words: list[object] = ["run", "--backend", "vllm", "--model", chosen.model, "--weights", weights]
    words += ["--data", work / "data", "--out", work / name, "--cache", work / "cache"]
    options = ["dtype=float32", "enforce_eager=true"] if chosen.tiny else ["load_format=dummy"]
    for option in (*options, *chosen.options):
        words += ["-o", option]
    return [sys.executable, "-m", "s3harness", *map(str, words)]


def measure(work: Path, name: str, command: list[str], out: Path, env: dict[str, str] | None = None) -> Measurement:
    """Run a command to its end, with the GPUs watched and the journal's growth noted."""
    log, journal = work / "output.log", out / "responses.jsonl"
    first = last = 0.0
    with DeviceLog() as device, log.open("w", encoding="utf-8") as output:
        started, size = time.time(), 0
        with subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        ) as process:
            while process.poll() is None:
                time.sleep(0.1)
                now = journal.stat().st_size if journal.is_file() else 0
                if now > size:
                    size, last = now, time.time()
                    first = first or last
        ended = time.time()
    # 1: some requests failed, which the table's number of answers shows.
    if process.returncode not in (0, 1):
        raise SystemExit(f"{name} ended with {process.returncode}:\n{log.read_text(encoding='utf-8')[-4000:]}")
    answers = [json.loads(line) for line in journal.open(encoding="utf-8")] if journal.is_file() else []
    answered = [answer for answer in answers if answer["status"] in ("ok", "cut")]
    text = log.read_text(encoding="utf-8")
    cached = re.search(r"(\d+%) of \d+ prompt tokens", text)
    return Measurement(
        name=name,
        wall_s=ended - started,
        asking_s=last - first,
        prompt_tokens=total(answered, "prompt_tokens"),
        answer_tokens=total(answered, "completion_tokens"),
        answered=len(answered),
        cached=cached[1] if cached else "–",
        idle_share=device.idle_share(first or started, last or ended),
        peak_gib=device.peak_gib(),
    )


def total(answers: list[dict[str, Any]], name: str) -> int:
    """The sum of a count over the answers that have it."""
    return sum(answer.get(name) or 0 for answer in answers)


def harness(*words: object) -> None:
    """Run a command of s3harness."""
    if shutil.which("nvidia-smi") is None:
        print("no nvidia-smi here: the columns of the GPU stay empty", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "s3harness", *map(str, words)], check=True)


if __name__ == "__main__":
    main()
