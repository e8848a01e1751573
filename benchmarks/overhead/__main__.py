"""What the harness costs above the least that has to be done, and beside lmms-eval.

    python benchmarks/overhead [--rounds 3] [--lmms-eval PYTHON]

Six videos of 30 s, 20 questions of each, 32 pictures a clip, a server that answers after 200 ms, 8 requests in flight:
by ``s3harness run`` on an empty cache, which journals and scores as well, and by a client that does nothing else
(``lower_bound.py``), once with HTTP written by hand and once with OpenAI's client; and again, alternating.
``--lmms-eval`` names the Python of an environment that has lmms-eval, which is then run on the same videos and
questions, once; ``--openai`` that of one that has PyAV and openai, if this one has not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# A script's own folder alone is searched; the task of lmms-eval is shared with the other benchmark.
sys.path.append(str(Path(__file__).resolve().parents[1]))

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
    parser.add_argument("--openai", metavar="PYTHON", default=sys.executable)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        work = Path(folder)
        make_material(work, videos=said.videos, seconds=SECONDS, prompts=PROMPTS, pictures=PICTURES)
        port = _free_port()
        server = subprocess.Popen([sys.executable, str(HERE / "stub.py"), str(port), str(LATENCY_MS)])
        try:
            _wait_for(port)
            _compare(work, port, said.rounds, said.openai, said.lmms_eval)
        finally:
            server.kill()
            server.wait()


def _compare(work: Path, port: int, rounds: int, openai: str, lmms_eval: str | None) -> None:
    commands = {"by hand": _bound(sys.executable, "sockets", work, port)}
    if subprocess.run([openai, "-c", "import openai, av"], capture_output=True, check=False).returncode == 0:
        commands["by OpenAI's client"] = _bound(openai, "openai", work, port)
    print(COLUMNS)
    print("|---" * (COLUMNS.count("|") - 1) + "|")
    costs: dict[str, list[Cost]] = {"s3harness": []} | {name: [] for name in commands}
    for number in range(rounds):
        for name, runs in costs.items():
            runs.append(_run(name, commands, work, port, number))
    if lmms_eval:
        _row("lmms-eval", _lmms_eval(lmms_eval, work, port))
    for name in commands:
        ratios = (_least(costs["s3harness"], field) / _least(costs[name], field) for field in ("wall_s", "cpu_s"))
        print("s3harness takes {:.2f} times the wall and {:.2f} times the CPU of".format(*ratios), name)


def _least(costs: list[Cost], field: str) -> float:
    """The least of several rounds: other work on the machine only ever adds."""
    return float(min(getattr(cost, field) for cost in costs))


def _bound(python: str, how: str, work: Path, port: int) -> list[str]:
    numbers = [str(number) for number in (port, IN_FLIGHT, PICTURES)]
    return [python, str(HERE / "lower_bound.py"), str(work / "rows.jsonl"), *numbers, how]


def _run(name: str, commands: dict[str, list[str]], work: Path, port: int, number: int) -> Cost:
    log = work / f"{name}.log"
    out = work / f"run-{number}"
    shutil.rmtree(work / "cache", ignore_errors=True)
    cost = measure(commands.get(name) or _ours(work, port, out), work / "data" / "videos", port, {}, log)
    assert cost.code == 0, log.read_text()
    if name not in commands:
        answered = sum(json.loads(line)["status"] == "ok" for line in (out / "responses.jsonl").open())
        assert answered == cost.requests, log.read_text()
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
    # The stub answers alike whatever it is shown.
    words += ["--allow-blind", "a stub"]
    return [sys.executable, "-m", "s3harness", *words, "-o", f"in_flight={IN_FLIGHT}", "-o", "labels=none"]


def _lmms_eval(python: str, work: Path, port: int) -> Cost:
    """Answer the same questions by lmms-eval, which sends JPEG and decodes with what it finds."""
    address = f"http://127.0.0.1:{port}/v1"
    command, env = lmms_eval_command(
        python,
        work / "lmms-eval",
        work / "rows.jsonl",
        model="async_openai",
        arguments=f"model_version=stub,base_url={address},api_key=none,num_cpus=8,nframes={PICTURES}",
        max_tokens=16,
        batch_size=1,
    )
    env |= {"LMMS_IMAGE_ENCODE_FORMAT": "JPEG", "OPENAI_API_KEY": "none", "OPENAI_API_BASE": address}
    log = work / "lmms-eval.log"
    cost = measure(command, work / "data" / "videos", port, env, log)
    # lmms-eval ends with 0 after an error, too.
    if cost.code or not cost.requests:
        sys.exit(f"lmms-eval ended with {cost.code}:\n{log.read_text()[-4000:]}")
    return cost


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
