"""How busy the GPUs are while something runs, asked of ``nvidia-smi`` twice a second."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Self

EVERY_S = 0.5
QUERY = ("--query-gpu=name,utilization.gpu,memory.used", "--format=csv,noheader,nounits")


@dataclass
class DeviceLog:
    """Samples of all GPUs: (seconds since the epoch, percent busy of each, MiB used of each). Empty without a GPU."""

    names: tuple[str, ...] = ()
    samples: list[tuple[float, list[float], list[float]]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if shutil.which("nvidia-smi"):
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def idle_share(self, start: float, end: float) -> float | None:
        """The share of samples between two times in which a GPU did nothing; ``None`` without samples."""
        busy = [percent for time_s, percents, _ in self.samples if start <= time_s <= end for percent in percents]
        return sum(percent == 0 for percent in busy) / len(busy) if busy else None

    def peak_gib(self) -> float | None:
        """The most memory that all GPUs had in use at once, GiB."""
        return max((sum(used) / 1024 for _, _, used in self.samples), default=None)

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_S):
            reply = subprocess.run(["nvidia-smi", *QUERY], capture_output=True, text=True, check=False).stdout
            rows = [line.rsplit(", ", 2) for line in reply.splitlines() if line.count(", ") >= 2]
            if rows and all(row[1].isdigit() and row[2].isdigit() for row in rows):
                self.names = tuple(row[0] for row in rows)
                self.samples.append((time.time(), [float(row[1]) for row in rows], [float(row[2]) for row in rows]))
