"""The command line and vLLM's server in processes of their own, and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

PATIENCE_S = 600.0


def words(data: Path, out: Path, card: Path, *more: object, backend: str = "vllm") -> Sequence[str]:
    """The words of ``s3harness run`` on all seven tasks."""
    given = ["run", "--backend", backend, "--model", card, "--data", data, "--out", out, "--protocol", "paper"]
    return [sys.executable, "-m", "s3harness", *(str(word) for word in [*given, "--cache", data / "cache", *more])]


def lines(out: Path) -> list[dict]:
    """The whole lines of a journal."""
    path = out / "responses.jsonl"
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def killed(command: Sequence[str], out: Path, environment: dict[str, str], answers: int) -> None:
    """Start a run and kill it when it has so many answers; its engine ends of itself."""
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + PATIENCE_S
        while len(lines(out)) < answers:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        engines = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
    assert engines
    while any(Path(f"/proc/{pid}").exists() for pid in engines):
        assert time.monotonic() < until, "the engine outlives the run"
        time.sleep(0.1)


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    threads = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for thread in threads for pid in thread.read_text().split()]


def wait_for(url: str, server: subprocess.Popen, log: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        assert server.poll() is None, Path(log).read_text()
        assert time.monotonic() < until
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
