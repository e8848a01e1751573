"""Test bench for one component: it records broken promises, and contains every error, print and connection."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from s3harness.guard.sockets import offline
from s3harness.plugins.time_limit import TookTooLong, deadline

LIMIT_S = 60.0
"""Time limit of one trial, seconds."""
SHOWN = 3
"""Notes recorded of one promise at most."""
LONGEST_NOTE = 400
"""Characters of a note at most."""

COMMON: Mapping[str, str] = {
    "loads": "its package registers it, and it can be imported",
    "documented": "it has a docstring",
    "in time": "no trial takes longer than the limit",
    "alive": "it does not end its process",
    "quiet": "it prints nothing on standard output, where results go",
    "offline": "it connects to no host that was not declared and permitted",
    "inputs": "it does not change its inputs",
    "same again": "the same input gives the same output",
}
"""Promise → its text, of every kind of plugin."""


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """Settings of the trials of one component.

    ``options`` go to the component itself: a backend's options, the parameters of a metric or sampler. ``item`` is the
    kind of items that it is for (if empty, each kind is tried); ``model`` the model card that a backend is constructed
    with; ``allow_remote`` the hosts that it may connect to; ``limit_s`` the time limit of one trial in seconds.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    item: str = ""
    model: str = ""
    allow_remote: Sequence[str] = ()
    limit_s: float = LIMIT_S


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """A promise that a component broke, and how."""

    kind: str
    name: str
    promise: str
    says: str
    note: str

    def __str__(self) -> str:
        """Return the broken promise as one sentence."""
        return f"{self.kind} {self.name}: {self.promise}: {self.says}, but {self.note}"


@dataclass(kw_only=True)
class Bench:
    """Test bench of one component, with the ``promises`` of its kind; ``untried`` lists what was not tried, and why."""

    kind: str
    name: str
    thing: Any
    settings: TrialSettings
    promises: Mapping[str, str]
    findings: list[BrokenPromise] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)

    def broke(self, promise: str, note: str) -> None:
        """Record a broken promise; at most :data:`SHOWN` notes of each are recorded."""
        earlier = [finding for finding in self.findings if finding.promise == promise]
        # Notes quote what plugins print and raise: they become one line of bounded length.
        text = " ".join(note.split())
        broken = BrokenPromise(self.kind, self.name, promise, {**COMMON, **self.promises}[promise], text[:LONGEST_NOTE])
        # A fault shows in nearly every case; three examples are enough to mend it.
        if len(earlier) < SHOWN and broken not in earlier:
            self.findings.append(broken)

    def must(self, promise: str, is_kept: bool, note: str) -> bool:
        """Record a broken promise unless ``is_kept``, which is returned."""
        if not is_kept:
            self.broke(promise, note)
        return is_kept

    @contextmanager
    def trying(self, promise: str, case: str = "", inputs: object = None, limits: float = 1.0) -> Iterator[None]:
        """Run a trial: an exception breaks ``promise``; prints, connections and changes of ``inputs`` break others.

        The trial may take ``limits`` times the time limit.
        """
        # Copied before the trial, to be compared afterwards: a component may change its inputs in place.
        printed, before = io.StringIO(), deepcopy(inputs)
        prefix = f"{case}: " if case else ""
        connections: list[str] = []
        try:
            limit = deadline(limits * self.settings.limit_s)
            with redirect_stdout(printed), offline(self.settings.allow_remote) as connections, limit:
                yield
        except TookTooLong as timeout:
            self.broke("in time", f"{prefix}{timeout}")
        # SystemExit as well, or a plugin that calls sys.exit() would end the check; KeyboardInterrupt stays the user's.
        except (Exception, SystemExit) as error:
            # The error of a refused connection is a consequence: the broken promise is then "offline" alone.
            if not connections:
                self.broke(promise, f"{prefix}{type(error).__name__}: {error}")
        self.must("quiet", not printed.getvalue(), f"{prefix}it printed {printed.getvalue()[:80]!r}")
        self.must("offline", not connections, f"{prefix}it tried to reach {', '.join(dict.fromkeys(connections))}")
        self.must("inputs", same(inputs, before), f"{prefix}it changed its input")


def same(one: object, other: object) -> bool:
    """Return True if two values are equal; NaN equals NaN, and arrays compare by shape, type and values."""
    # In the function, for the listing of promises needs no numpy.
    import numpy as np

    # Arrays first: == of arrays is an array, whose truth value raises.
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        a, b = np.asarray(one), np.asarray(other)
        return a.shape == b.shape and a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def writable(value: object) -> str:
    """Return the error of writing a value as JSON; "" if it can be written."""
    import json

    try:
        # NaN and infinity are no JSON, though Python writes them by default.
        json.dumps(value, allow_nan=False)
    # Nesting that is too deep raises RecursionError in place of ValueError.
    except (TypeError, ValueError, RecursionError) as error:
        return str(error)
    return ""


def takes(thing: Any, *arguments: object, **named: object) -> str:
    """Return the error of calling a function with these arguments, by its signature; "" if it accepts them."""
    import inspect

    try:
        inspect.signature(thing).bind(*arguments, **named)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""
