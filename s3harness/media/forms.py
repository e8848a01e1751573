"""The forms into which a clip is converted, each once, however many requests, and threads, ask for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

Form = TypeVar("Form")


class Forms:
    """What was made of the clips of one video, until it is dropped."""

    def __init__(self) -> None:
        self._made: dict[Hashable, dict[Hashable, Any]] = {}
        self._turns: dict[tuple[Hashable, Hashable], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, clip: Hashable, kind: Hashable, make: Callable[[], Form]) -> Form:
        """A form of a clip. Who asks while it is made waits for it; what ``make`` raises is not kept."""
        with self._lock:
            made = self._made.setdefault(clip, {})
            turn = self._turns.setdefault((clip, kind), threading.Lock())
        with turn:
            if kind not in made:
                made[kind] = make()
            return cast("Form", made[kind])

    def drop(self, clip: Hashable) -> None:
        """Forget the forms of a clip."""
        with self._lock:
            for kind in self._made.pop(clip, {}):
                self._turns.pop((clip, kind), None)
