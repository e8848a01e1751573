"""The command line and vLLM's server in processes of their own, and the processes that they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE_S = 600.0

SOON_S = 10.0
"""A process that still runs so long after its run is left behind for good."""


def run_command(data: Path, out: Path, card: Path, *more: object, backend: str = "vllm") -> Sequence[str]:
    """The command line of ``s3harness run`` on all seven tasks."""
    arguments = ["run", "--backend", backend, "--model", card, "--data", data, "--out", out, "--protocol", "paper"]
    return [sys.executable, "-m", "s3harness", *(str(word) for word in [*arguments, "--cache", data / "cache", *more])]


def journal(out: Path) -> list[dict]:
    """The whole lines of a journal."""
    path = out / "responses.jsonl"
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def kill_run(command: Sequence[str], out: Path, environment: dict[str, str], answers: int) -> None:
    """Start a run and kill it when it has so many answers; its engine ends of itself."""
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + PATIENCE_S
        while len(journal(out)) < answers:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        engines = children(process.pid)
        os.kill(process.pid, signal.SIGKILL)
    assert engines
    while any(Path(f"/proc/{pid}").exists() for pid in engines):
        assert time.monotonic() < until, "the engine outlives the run"
        time.sleep(0.1)


def stop_run(command: Sequence[str], environment: dict[str, str], is_time, number: int) -> tuple[int, str]:
    """Start a run, stop it as a terminal or a scheduler does when it is time, and wait until it has ended.

    ``is_time`` gets the process and its messages. Ctrl-C reaches all processes of a run, SIGTERM the first
    alone. Returns the exit code and the messages; fails if any process is left.
    """
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        messages: list[str] = []
        reader = threading.Thread(target=lambda: messages.extend(process.stderr))
        reader.start()
        until = time.monotonic() + PATIENCE_S
        while not is_time(process, messages):
            assert process.poll() is None, "".join(messages)
            assert time.monotonic() < until
            time.sleep(0.02)
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        code = process.wait(PATIENCE_S)
        reader.join()
    until = time.monotonic() + SOON_S
    while left := commands_of_session(process.pid):
        assert time.monotonic() < until, left
        time.sleep(0.1)
    return code, "".join(messages)


def commands_of_session(session: int) -> list[str]:
    """The commands of the processes of a session that are not over."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, theirs = path.read_text().rpartition(")")[2].split()[:4]
            if int(theirs) == session and state != "Z":
                commands.append(path.with_name("cmdline").read_text().replace("\0", " "))
    return commands


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    threads = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for thread in threads for pid in thread.read_text().split()]


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    """Wait until a server answers; fails with its log if it ends."""
    until = time.monotonic() + PATIENCE_S
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < until
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
