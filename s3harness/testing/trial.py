"""The bench that something is tried on: what it breaks is written down, and nothing it does gets away."""

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
"""How long one trial may take."""
SHOWN = 3
"""So many notes of one promise are told."""
LONGEST_NOTE = 400

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
"""Promise → what it says, of everything there is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How something is tried.

    ``options`` are what the thing itself is given: a backend's options, the parameters of a metric or sampler. ``item``
    is the kind of items that it is for, found out where it is empty; ``model`` the card that a backend is made with;
    ``allow_remote`` the hosts that it may connect to; ``limit_s`` how long one trial may take.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    item: str = ""
    model: str = ""
    allow_remote: Sequence[str] = ()
    limit_s: float = LIMIT_S


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that something broke, and how."""

    kind: str
    name: str
    promise: str
    says: str
    note: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.kind} {self.name}: {self.promise}: {self.says}, but {self.note}"


@dataclass
class Bench:
    """Where one thing is tried. ``promises`` are those of its kind; ``untried`` says what was not tried, and why."""

    kind: str
    name: str
    thing: Any
    settings: Settings
    promises: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)

    def broke(self, promise: str, note: str) -> None:
        """Write down a broken promise; :data:`SHOWN` notes of each are kept."""
        said = [finding for finding in self.findings if finding.promise == promise]
        short = " ".join(note.split())
        found = Finding(self.kind, self.name, promise, {**COMMON, **self.promises}[promise], short[:LONGEST_NOTE])
        if len(said) < SHOWN and found not in said:
            self.findings.append(found)

    def must(self, promise: str, is_kept: bool, note: str) -> bool:
        """Write down a broken promise unless it is kept; returns whether it is."""
        if not is_kept:
            self.broke(promise, note)
        return is_kept

    @contextmanager
    def trying(self, promise: str, what: str = "", inputs: object = None, limits: float = 1.0) -> Iterator[None]:
        """Try something: what it raises breaks ``promise``, what it prints, sends or changes of ``inputs`` others.

        It may take as many times the limit as ``limits`` says.
        """
        printed, before = io.StringIO(), deepcopy(inputs)
        to = f"{what}: " if what else ""
        tried: list[str] = []
        try:
            limit = deadline(limits * self.settings.limit_s)
            with redirect_stdout(printed), offline(self.settings.allow_remote) as tried, limit:
                yield
        except TookTooLong as late:
            self.broke("in time", f"{to}{late}")
        except (Exception, SystemExit) as error:
            if not tried:
                self.broke(promise, f"{to}{type(error).__name__}: {error}")
        self.must("quiet", not printed.getvalue(), f"{to}it printed {printed.getvalue()[:80]!r}")
        self.must("offline", not tried, f"{to}it tried to reach {', '.join(dict.fromkeys(tried))}")
        self.must("inputs", same(inputs, before), f"{to}what it was given is not what it was")


def same(one: object, other: object) -> bool:
    """Whether two things are equal, arrays and numbers that are none included."""
    import numpy as np

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
    """What keeps a value from being written as JSON; "" if nothing does."""
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return str(error)
    return ""


def takes(thing: Any, *arguments: object, **named: object) -> str:
    """What keeps a function from being called like this, by its signature; "" if nothing does."""
    import inspect

    try:
        inspect.signature(thing).bind(*arguments, **named)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""
