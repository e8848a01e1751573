"""Progress of vLLM's start, read from the log of its processes, and the errors that they logged."""

from __future__ import annotations

import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from s3harness_vllm.vllm_plugin import LOG_FILE_VARIABLE, LOGGING_CONFIG, OWNER_VARIABLE

NO_TELEMETRY = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""Environment variables by which vLLM and the hub's client report nothing to anybody."""

PHASES = (
    (re.compile(r"Starting to load model"), "loading weights"),
    (re.compile(r"Loading weights took|Model loading took"), "profiling memory"),
    (re.compile(r"KV cache size|GPU blocks:"), "warming up"),
    (re.compile(r"Dynamo bytecode transform|Compiling a graph|Start compiling"), "compiling"),
    (re.compile(r"Capturing CUDA graph", re.IGNORECASE), "capturing graphs"),
)
"""Log messages of vLLM 0.32 at the beginning of work that may take minutes, and a name for that work."""

POLL_S = 0.2
LOGGING_VARIABLES = ("VLLM_LOGGING_CONFIG_PATH", "VLLM_LOGGING_LEVEL", "VLLM_CONFIGURE_LOGGING")
"""A user who sets one of these wants to see vLLM's own log, and gets it."""


class EngineLog:
    """Follows the log of vLLM's processes and calls ``report`` with each phase of their start.

    vLLM's processes append to a file in a temporary directory while the context is entered. Enter it before vLLM is
    imported: vLLM configures its logging on import.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self.report = report
        self._phases: list[tuple[str, float]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="s3harness-vllm-")
        self._path = Path(self._folder.name) / "log.jsonl"
        self._position = 0
        self._n_forgotten = 0
        self._is_over = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="vllm-log", daemon=True)

    def __enter__(self) -> Self:
        # The processes append only to a file that exists.
        self._path.touch()
        # Environment variables, because vLLM's processes inherit them and nothing else from here.
        os.environ.update(NO_TELEMETRY)
        if not any(name in os.environ for name in LOGGING_VARIABLES):
            os.environ["VLLM_LOGGING_CONFIG_PATH"] = str(LOGGING_CONFIG)
        os.environ.update({LOG_FILE_VARIABLE: str(self._path), OWNER_VARIABLE: str(os.getpid())})
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._follower.join()
        for name in (LOG_FILE_VARIABLE, OWNER_VARIABLE):
            os.environ.pop(name, None)
        if os.environ.get("VLLM_LOGGING_CONFIG_PATH") == str(LOGGING_CONFIG):
            del os.environ["VLLM_LOGGING_CONFIG_PATH"]
        self._folder.cleanup()

    def begin(self, phase: str) -> None:
        """Report that a phase begins; one that is repeated at once is reported once."""
        # Several processes log the same message.
        if not self._phases or self._phases[-1][0] != phase:
            self._phases.append((phase, time.monotonic()))
            self.report(phase)

    def ready(self) -> dict[str, float]:
        """Stop reporting, and return the seconds spent in each phase. Errors are still collected."""
        self._is_over.set()
        ends = [start for _, start in self._phases[1:]] + [time.monotonic()]
        durations: dict[str, float] = {}
        for (phase, start), end in zip(self._phases, ends, strict=True):
            durations[phase] = durations.get(phase, 0.0) + end - start
        return durations

    def errors(self) -> list[str]:
        """The errors that were logged, oldest first, without those that were forgotten."""
        return self._all_errors()[self._n_forgotten :]

    def forget_errors(self) -> None:
        """Leave the errors so far out of :meth:`errors`."""
        self._n_forgotten = len(self._all_errors())

    def _all_errors(self) -> list[str]:
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return [record["message"] for record in map(_record, lines) if record.get("level") in ("ERROR", "CRITICAL")]

    def _follow(self) -> None:
        while not self._is_over.wait(POLL_S):
            for message in self._new_messages():
                phase = next((name for pattern, name in PHASES if pattern.search(message)), None)
                if phase is not None:
                    self.begin(phase)

    def _new_messages(self) -> Iterator[str]:
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = file.read()
        # The last line may be half written: it is read with the next poll.
        complete = data[: data.rfind(b"\n") + 1]
        self._position += len(complete)
        for line in complete.decode("utf-8", "replace").splitlines():
            yield str(_record(line).get("message", ""))


def _record(line: str) -> dict[str, str]:
    """A log record, empty where a line is no JSON object."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
