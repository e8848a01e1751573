"""What the harness costs above the least that has to be done, and beside lmms-eval.

    python benchmarks/overhead [--rounds 3] [--lmms-eval PYTHON]

Six videos of 30 s, 20 questions of each, 32 pictures a clip, a server that answers after 200 ms, 8 requests in flight:
once by a client of 60 lines that does nothing else (``lower_bound.py``), once by ``s3harness run`` on an empty cache,
which journals and scores as well, and again alternating. ``--lmms-eval`` names the Python of an environment that has
lmms-eval, which is then run on the same videos and questions, once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lmms_eval_task import lmms_eval_command
from material import make_material
from measured import Cost, measure

SECONDS, PROMPTS, PICTURES, LATENCY_MS, IN_FLIGHT = 30, 20, 32, 200, 8
HERE = Path(__file__).parent
COLUMNS = "| | wall s | CPU s | peak MB | opens per mp4 | requests | MB each | pictures | clip changes | asking s |"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--lmms-eval", metavar="PYTHON", help="the Python of an environment that has lmms-eval")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        work = Path(folder)
        make_material(work, videos=said.videos, seconds=SECONDS, prompts=PROMPTS, pictures=PICTURES)
        port = _free_port()
        server = subprocess.Popen([sys.executable, str(HERE / "stub.py"), str(port), str(LATENCY_MS)])
        try:
            _wait_for(port)
            _compare(work, port, said.rounds, said.lmms_eval)
        finally:
            server.kill()
            server.wait()


def _compare(work: Path, port: int, rounds: int, lmms_eval: str | None) -> None:
    print(COLUMNS)
    print("|---" * (COLUMNS.count("|") - 1) + "|")
    costs: dict[str, list[Cost]] = {"lower bound": [], "s3harness": []}
    for number in range(rounds):
        for name, runs in costs.items():
            runs.append(_run(name, work, port, number))
    if lmms_eval:
        command, env = lmms_eval_command(lmms_eval, work, port, PICTURES)
        _row("lmms-eval", measure(command, work / "data" / "videos", port, env, work / "lmms-eval.log"))
    for name, value in (("wall", "wall_s"), ("CPU", "cpu_s")):
        least, ours = (statistics.median(getattr(c, value) for c in costs[n]) for n in ("lower bound", "s3harness"))
        print(f"\n{name}: s3harness takes {ours / least:.2f} times the lower bound (medians)", end="")
    print()


def _run(name: str, work: Path, port: int, number: int) -> Cost:
    log = work / f"{name}.log"
    videos = work / "data" / "videos"
    if name == "lower bound":
        words = [str(HERE / "lower_bound.py"), str(work / "rows.jsonl"), str(port), str(IN_FLIGHT), str(PICTURES)]
        cost = measure([sys.executable, *words], videos, port, {}, log)
    else:
        shutil.rmtree(work / "cache", ignore_errors=True)
        cost = measure(_ours(work, port, work / f"run-{number}"), videos, port, {}, log)
        answered = sum(
            json.loads(line)["status"] == "ok" for line in (work / f"run-{number}" / "responses.jsonl").open()
        )
        assert answered == cost.requests, log.read_text()
    assert cost.code == 0, log.read_text()
    _row(name, cost)
    return cost


def _ours(work: Path, port: int, out: Path) -> list[str]:
    words = [
        "run",
        "--backend",
        "openai",
        "--model",
        str(work / "stub.yaml"),
        "--data",
        str(work / "data"),
        "--tasks",
        "1",
    ]
    words += ["--out", str(out), "--cache", str(work / "cache"), "-o", f"base_url=http://127.0.0.1:{port}/v1"]
    return [sys.executable, "-m", "s3harness", *words, "-o", f"in_flight={IN_FLIGHT}", "-o", "labels=none"]


def _row(name: str, cost: Cost) -> None:
    print(
        f"| {name} | {cost.wall_s:.1f} | {cost.cpu_s:.1f} | {cost.peak_mb:.0f} | {cost.opens:.1f} | {cost.requests} "
        f"| {cost.mb_per_request:.2f} | {cost.pictures} | {cost.switches} | {cost.asking_s:.1f} |",
        flush=True,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the stub server does not start")


if __name__ == "__main__":
    main()
