"""What vLLM does while it starts, told as it happens, and what went wrong if it does not come up."""

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

from s3harness_vllm.inside import FILE, LOGGING, OWNER

PRIVATE = {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1", "DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Nothing is reported to anybody."""

PHASES = (
    (re.compile(r"Starting to load model"), "loading weights"),
    (re.compile(r"Loading weights took|Model loading took"), "profiling memory"),
    (re.compile(r"KV cache size|GPU blocks:"), "warming up"),
    (re.compile(r"Dynamo bytecode transform|Compiling a graph|Start compiling"), "compiling"),
    (re.compile(r"Capturing CUDA graph", re.IGNORECASE), "capturing graphs"),
)
"""What vLLM logs when it begins something that may take minutes, and what that is."""

POLL_S = 0.2
OWN_LOGGING = ("VLLM_LOGGING_CONFIG_PATH", "VLLM_LOGGING_LEVEL", "VLLM_CONFIGURE_LOGGING")
"""A user who sets one of these wants to see vLLM's own log, and gets it."""


class EngineLog:
    """Follows the log of vLLM's processes and calls ``say`` with each phase of their start.

    Enter it before vLLM is imported.
    vLLM's processes append to a file, for as long as this is entered.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._began: list[tuple[str, float]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="s3harness-vllm-")
        self._path = Path(self._folder.name) / "log.jsonl"
        self._read = 0
        self._ended = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="vllm-log", daemon=True)

    def __enter__(self) -> Self:
        self._path.touch()
        os.environ.update(PRIVATE)
        if not any(name in os.environ for name in OWN_LOGGING):
            os.environ["VLLM_LOGGING_CONFIG_PATH"] = str(LOGGING)
        os.environ.update({FILE: str(self._path), OWNER: str(os.getpid())})
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._follower.join()
        for name in (FILE, OWNER):
            os.environ.pop(name, None)
        if os.environ.get("VLLM_LOGGING_CONFIG_PATH") == str(LOGGING):
            del os.environ["VLLM_LOGGING_CONFIG_PATH"]
        self._folder.cleanup()

    def begin(self, phase: str) -> None:
        """Say that something begins."""
        if not self._began or self._began[-1][0] != phase:
            self._began.append((phase, time.monotonic()))
            self._say(phase)

    def ready(self) -> dict[str, float]:
        """What was gone through until now, by phase, in seconds. Nothing more is told; errors still are kept."""
        self._ended.set()
        ends = [start for _, start in self._began[1:]] + [time.monotonic()]
        spent: dict[str, float] = {}
        for (phase, start), end in zip(self._began, ends, strict=True):
            spent[phase] = spent.get(phase, 0.0) + end - start
        return spent

    def errors(self) -> list[str]:
        """The errors that were logged, oldest first."""
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return [record["message"] for record in map(_record, lines) if record.get("level") in ("ERROR", "CRITICAL")]

    def _follow(self) -> None:
        while not self._ended.wait(POLL_S):
            for message in self._new():
                phase = next((name for pattern, name in PHASES if pattern.search(message)), None)
                if phase is not None:
                    self.begin(phase)

    def _new(self) -> Iterator[str]:
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            yield str(_record(line).get("message", ""))


def _record(line: str) -> dict[str, str]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
