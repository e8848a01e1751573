"""The end of a journal that grows: each look reads only what was added since the last one."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOOKS = 30
"""Number of looks over which the rate is taken."""


@dataclass
class JournalTail:
    """Counts of a journal: ``answered`` and ``failed`` requests, and how many come in a minute."""

    path: Path
    clock: Callable[[], float] = time.monotonic
    _states: dict[str, bool] = field(default_factory=dict)
    _offset: int = 0
    _failed: int = 0
    _looks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=LOOKS))

    def look(self) -> None:
        """Read the lines that are whole and new."""
        try:
            size = self.path.stat().st_size
            if size < self._offset:
                # Shorter than before: another run took the folder.
                self._states, self._offset, self._failed = {}, 0, 0
                self._looks.clear()
            if size > self._offset:
                with self.path.open("rb") as file:
                    file.seek(self._offset)
                    self._read(file.read(size - self._offset))
        except FileNotFoundError:
            pass
        self._looks.append((self.clock(), len(self._states)))

    @property
    def answered(self) -> int:
        """Number of requests with a response that is no failure."""
        return len(self._states) - self._failed

    @property
    def failed(self) -> int:
        """Number of requests whose last response is a failure."""
        return self._failed

    @property
    def per_minute(self) -> float | None:
        """Responses a minute over the last looks; ``None`` before the second look."""
        (start, before), (end, now) = (self._looks[0], self._looks[-1]) if self._looks else ((0.0, 0), (0.0, 0))
        return 60 * (now - before) / (end - start) if end - start > 0.5 else None

    def _read(self, data: bytes) -> None:
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                entry = json.loads(line)
                request_id, has_failed = str(entry["id"]), entry["status"] == "failed"
            # A line that cannot be read is named when the run is opened; here only numbers are shown.
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            self._failed += has_failed - self._states.get(request_id, False)
            self._states[request_id] = has_failed
