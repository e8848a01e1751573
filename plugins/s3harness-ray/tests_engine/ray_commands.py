"""Runs of the command line in processes of their own, and the processes that Ray starts for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 240.0


@dataclass
class Commands:
    """The ``s3harness`` command; ``folder`` holds its plugins."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "s3harness", *map(str, words)],
            env=os.environ | {"PYTHONPATH": str(self.folder)} | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return finished(self.start(*words))

    def plugin(self, name: str, source: str) -> None:
        """Install a plugin: one module, and the metadata that says that it is one."""
        info = self.folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[s3harness]\n{name} = {name}\n")
        (self.folder / f"{name}.py").write_text(textwrap.dedent(source))


def finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """The result of a process; fails if it takes too long."""
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"still running after {PATIENCE_S:g} s: {process.communicate()}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(process: subprocess.Popen[str], is_time) -> object:
    """Wait for a condition to become true, and return its value; fails if the process ends before."""
    until = time.monotonic() + PATIENCE_S
    while not (value := is_time()):
        assert process.poll() is None, f"ended before its time: {process.communicate()}"
        assert time.monotonic() < until
        time.sleep(0.01)
    return value


def whole_lines(out: Path) -> list[dict[str, object]]:
    """The lines of a journal that may not be there yet."""
    path = out / "responses.jsonl"
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def answers(out: Path) -> dict[object, dict[str, object]]:
    """Request → its one line, without how long it took; fails if a request has several."""
    lines = whole_lines(out)
    answers_by_id = {line["id"]: {k: v for k, v in line.items() if k != "latency_s"} for line in lines}
    assert len(answers_by_id) == len(lines), "a request is answered more than once"
    return answers_by_id


def assert_same_files(out: Path, other: Path) -> None:
    """The same files with the same bytes, but for times, the order of answers, salts and versions."""
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert names == {str(path.relative_to(other)) for path in other.rglob("*") if path.is_file()}
    for name in sorted(names - {"responses.jsonl", "manifest.json", "private.json", "audit.jsonl"}):
        assert (out / name).read_bytes() == (other / name).read_bytes(), name
    assert answers(out) == answers(other)
    assert _manifest(out) == _manifest(other)


def actors(driver: int) -> list[int]:
    """The processes of the actors that a run has."""
    return [pid for pid in descendants(driver) if _command(pid).startswith("ray::EngineActor")]


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        parents.setdefault(parent, []).append(int(path.parent.name))
    pids, left = [], [pid]
    while left:
        children = parents.get(left.pop(), [])
        pids += children
        left += children
    return pids


def is_running(pid: int) -> bool:
    """True if a process is running, and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _manifest(out: Path) -> dict[str, object]:
    data = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    timeless = {key: value for key, value in data.items() if key not in ("seconds", "session", "environment")}
    identities = [{k: v for k, v in entry.items() if k != "since"} for entry in data["identities"]]
    return timeless | {"identities": identities}
