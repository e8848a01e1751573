"""Checks of the machine: Python, processors, memory, GPUs, and free disk space."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from s3harness.doctor.check import Check, State
from s3harness.version import __version__

LEAST_PYTHON = (3, 11)
GPU_TIMEOUT_S = 10.0
GIGABYTE = 1e9
LEAST_OUT_BYTES = 1e9
LEAST_CACHE_BYTES = 5e9
LEAST_MEMORY_BYTES = 4e9
DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # NVIDIA, AMD, and Windows' GPUs in WSL 2


def python() -> Iterator[Check]:
    """Yield checks of the interpreter, the harness, the system, its processors and the libraries' threads."""
    is_old = sys.version_info < LEAST_PYTHON
    yield Check(
        "python",
        "Python",
        f"{platform.python_version()} at {sys.executable}",
        "broken" if is_old else "ok",
        f"install Python {'.'.join(map(str, LEAST_PYTHON))} or newer" if is_old else "",
    )
    yield Check("python", "s3harness", f"{__version__} at {Path(__file__).parents[1]}")
    is_linux = sys.platform == "linux"  # sched_getaffinity exists on Linux alone; it knows the limits of a container
    yield Check(
        "python",
        "system",
        f"{platform.system()} {platform.machine()}, {len(os.sched_getaffinity(0)) if is_linux else os.cpu_count()} "
        f"of {os.cpu_count()} processors",
        "ok" if is_linux else "note",
        "" if is_linux else "the harness is tested on Linux",
    )
    yield _threads()


def gpus() -> Iterator[Check]:
    """Return a check of each GPU that nvidia-smi lists."""
    # Not by torch: its import takes seconds.
    tool = shutil.which("nvidia-smi")
    if tool is None:
        has_driver = any(Path(driver).exists() for driver in DRIVERS)
        state: State = "note" if has_driver else "ok"
        remedy = "put nvidia-smi on the PATH, so that GPU and memory can be checked" if has_driver else ""
        return iter([Check("gpu", "GPU", "a driver" if has_driver else "none", state, remedy)])
    command = [tool, "--query-gpu=name,memory.total,memory.free,driver_version", "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=GPU_TIMEOUT_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        remedy = "the driver does not answer: run nvidia-smi by hand, and restart or reinstall the driver"
        return iter([Check("gpu", "GPU", f"nvidia-smi failed: {type(error).__name__}", "note", remedy)])
    return iter([_gpu(number, line) for number, line in enumerate(run.stdout.strip().splitlines())])


def memory() -> Iterator[Check]:
    """Yield a check of the free memory, within the container's limit."""
    free, total = _memory_bytes()
    if not total:
        return
    is_little = free < LEAST_MEMORY_BYTES
    yield Check(
        "memory",
        "memory",
        f"{free / GIGABYTE:.1f} of {total / GIGABYTE:.1f} GB free",
        "note" if is_little else "ok",
        "end other programs, or prefetch less: --media ahead_mb=500" if is_little else "",
    )


def room(cache: Path, out: Path) -> Iterator[Check]:
    """Yield checks that the directories of frames and runs can be written and have free space."""
    remedy = "set S3HARNESS_CACHE to another directory, or limit the cache with --cache-gb"
    yield _room("cache of decoded frames", cache, LEAST_CACHE_BYTES, remedy)
    yield _room("runs", out, LEAST_OUT_BYTES, "free some space, or choose another --out")


def _threads() -> Check:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    limits = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    return Check("python", "threads of libraries", ", ".join(limits) or "as many as processors")


def _gpu(number: int, line: str) -> Check:
    # Padded: an old driver leaves out fields that it does not know.
    name, total, free, driver = (part.strip() for part in [*line.split(","), "", "", ""][:4])
    is_taken = total.isdigit() and free.isdigit() and int(free) < 0.9 * int(total)
    return Check(
        "gpu",
        f"GPU {number}",
        f"{name}, {free} of {total} MiB free, driver {driver}",
        "note" if is_taken else "ok",
        "another process uses its memory; nvidia-smi shows which" if is_taken else "",
    )


def _memory_bytes() -> tuple[float, float]:
    """Return free and total bytes, within the container's limit; zeros where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0, 0.0
    fields = {name: float(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)}
    free, total = fields.get("MemAvailable", 0.0), fields.get("MemTotal", 0.0)
    # /proc/meminfo is the host's: in a container the smaller limit of cgroup v2 counts ("max", no number, if none).
    limit, used = (_number(Path("/sys/fs/cgroup", name)) for name in ("memory.max", "memory.current"))
    return (min(free, max(limit - used, 0.0)), min(total, limit)) if limit else (free, total)


def _number(path: Path) -> float:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0


def _room(what: str, place: Path, least_bytes: float, remedy: str) -> Check:
    # The directory may not exist yet: its nearest parent is on the same disk.
    parent = next((folder for folder in (place, *place.absolute().parents) if folder.exists()), Path("/"))
    if not os.access(parent, os.W_OK | os.X_OK) or not parent.is_dir():
        return Check("room", what, f"{place} cannot be written", "broken", remedy)
    free = shutil.disk_usage(parent).free
    is_little = free < least_bytes
    state: State = "note" if is_little else "ok"
    return Check("room", what, f"{free / GIGABYTE:.1f} GB free at {place}", state, remedy if is_little else "")
