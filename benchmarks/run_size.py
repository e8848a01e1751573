"""Memory, opens and decodes of a run as its data set grows.

    python benchmarks/run_size.py [VIDEOS ...] [--data DIR]

Renders the largest data set once, or takes the one in DIR, and asks the oracle all seven tasks of its first N videos,
for each N given. A row per run: peak resident memory of the process in its first minute, later while it asks, and while
it scores; how often each mp4 was opened, which an audit hook counts inside the process; and the same of a second run,
which finds the cache filled.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HOOK = """
import os, sys
_log = open(os.environ["OPENS"], "a", buffering=1)
def _hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        name = os.fspath(arguments[0])
        name = name.decode() if isinstance(name, bytes) else name
        if name.endswith(".mp4"):
            _log.write(name + "\\n")
sys.addaudithook(_hook)
"""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=int, nargs="*", default=[10, 50, 100])
    parser.add_argument("--data", type=Path)
    chosen = parser.parse_args()
    sizes: list[int] = chosen.videos
    with tempfile.TemporaryDirectory(prefix="run-size-") as folder:
        work = Path(folder)
        (work / "sitecustomize.py").write_text(HOOK)
        if chosen.data:
            (work / "data").symlink_to(chosen.data.resolve())
        else:
            synth = ["data", "synth", "--out", str(work / "data"), "--videos", str(max(sizes)), "--seconds", "12"]
            harness(work, [*synth, "--resolution", "320x180", "--workers", "2"])
        print("| videos | requests | cache | wall s | CPU s | MB, first minute | later | scoring | opens per mp4 |")
        print("|---|---|---|---|---|---|---|---|---|")
        for size in sizes:
            shutil.rmtree(work / "cache", ignore_errors=True)
            for state in ("empty", "filled"):
                print(measured(work, size, state), flush=True)


def measured(work: Path, size: int, state: str) -> str:
    """One run as a row of the table."""
    out, opens = work / f"run-{size}-{state}", work / f"opens-{size}-{state}"
    opens.touch()
    started = time.perf_counter()
    arguments = ["run", "--backend", "oracle", "--data", str(work / "data"), "--out", str(out), "--limit", str(size)]
    samples, cpu = harness(work, [*arguments, "--cache", str(work / "cache")], opens, out / "responses.jsonl")
    wall = time.perf_counter() - started
    requests = json.loads((out / "manifest.json").read_text())["requests"]
    counts = Counter(opens.read_text().split("\n")[:-1])
    per_file = f"{min(counts.values())}–{max(counts.values())} ({len(counts)} files)" if counts else "0"
    asking = [mb for mb, journalled in samples if journalled < samples[-1][1]]
    scoring = [mb for mb, journalled in samples if journalled == samples[-1][1]]
    memory = " | ".join(f"{max(part):.0f}" if part else "–" for part in (asking[:60], asking[60:], scoring))
    return f"| {size} | {requests} | {state} | {wall:.1f} | {cpu:.1f} | {memory} | {per_file} |"


def harness(
    work: Path, arguments: list[str], opens: Path | None = None, journal: Path | None = None
) -> tuple[list[tuple[float, int]], float]:
    """Run the command line in a process of its own.

    Returns its resident memory in MB and the bytes of its journal, each second, and its CPU seconds.
    """
    env = os.environ | {"PYTHONPATH": str(work), "OPENS": str(opens or os.devnull)}
    with subprocess.Popen(
        [sys.executable, "-m", "s3harness", *arguments], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        samples: list[tuple[float, int]] = []
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            samples.append((_resident_mb(process.pid), journal.stat().st_size if journal and journal.exists() else 0))
            time.sleep(1.0)
        _, status, usage = ended
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments[:2]} ended with {process.returncode}")
    return samples, usage.ru_utime + usage.ru_stime


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


if __name__ == "__main__":
    main()
