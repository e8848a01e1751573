"""Running a command and seeing what it cost: wall, CPU, memory of all of its processes, and which files it opened."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import struct
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

IN_OPEN, IN_NONBLOCK = 0x20, 0o4000
EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost, and what a stub server saw of it."""

    code: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    opens: float
    requests: int
    mb_per_request: float
    pictures: int
    switches: int
    asking_s: float


def measure(command: Sequence[str], videos: Path, port: int, env: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end, its output going to ``log``."""
    _get(port, "/reset")
    with _Opens(videos) as opens, log.open("w") as out:
        started, before = time.perf_counter(), os.times()
        with subprocess.Popen(command, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT) as process:
            peak = 0
            while process.poll() is None:
                peak = max(peak, sum(map(_resident, _family(process.pid))))
                time.sleep(EVERY_S)
        wall, after = time.perf_counter() - started, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    seen = _get(port, "/log")
    assert isinstance(seen, list)
    clips = [one["clip"] for one in seen]
    return Cost(
        process.returncode,
        wall,
        cpu,
        peak / 1e6,
        sum(opens.counts.values()) / max(1, len(opens.counts)),
        len(seen),
        sum(one["bytes"] for one in seen) / max(1, len(seen)) / 1e6,
        max((one["pictures"] for one in seen), default=0),
        sum(a != b for a, b in itertools.pairwise(clips)),
        seen[-1]["at"] - seen[0]["at"] if seen else 0.0,
    )


class _Opens:
    """Counts how often each mp4 of a folder is opened, by inotify."""

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(IN_NONBLOCK)
        libc.inotify_add_watch(self._fd, os.fsencode(folder), IN_OPEN)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Opens:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._drain()
        os.close(self._fd)

    def _watch(self) -> None:
        while not self._over.wait(EVERY_S):
            self._drain()

    def _drain(self) -> None:
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            length = struct.unpack_from("iIII", data, at)[3]
            name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            at += 16 + length
            self.counts[name] += name.endswith(".mp4")


def _family(root: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    family = [root]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError):
        return 0


def _get(port: int, path: str) -> object:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as reply:
        return json.load(reply)
