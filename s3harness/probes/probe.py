"""The contract of a probe: the change that it makes, and the expected effect on an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from s3harness.errors import PluginError, UsageError, suggest
from s3harness.plugins.manager import load, manager
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Video

Direction = Literal["same", "flip", "absent", "change", "open"]
"""The expected effect on an answer: stay, become its opposite, deny signs that cannot be noticed any more, differ in
any way; ``open`` expects nothing."""


@dataclass(frozen=True, slots=True)
class ProbeSubject:
    """The question that an answer belongs to: the kind of item (``feature``, ``laterality``, …) and the subject."""

    item: str
    subject: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected effect on an answer; ``holds(after)`` is ``True`` for a new answer that meets it."""

    direction: Direction
    holds: Callable[[object], bool]


OPEN = Expected("open", lambda after: True)


class Probe:
    """Repeats a run's questions with clips passed through ``transforms``, or in another wording (:meth:`reword`).

    The values of answers are: a word for a sign, a side and a diagnosis, seconds for a boundary, a tuple of signs for
    a sequence, and a tuple (signs, sides) for a report. Raise ``version`` whenever the behaviour changes.
    """

    title: str = ""
    version: str = "1"
    transforms: tuple[str, ...] = ()

    def reword(self, spec: TaskSpec) -> TaskSpec | None:
        """Return the task in the probe's wording; ``None`` if the probe does not apply to it."""
        return spec

    def truth(self, video: Video, clip: Clip) -> Video | None:
        """Return annotations that are true of the changed clip and wording; ``None`` if they are unknown."""
        return video

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Return the expected effect on an answer, given its value ``before`` the change."""
        return OPEN


class OfTransform(Probe):
    """A transform as a probe: changed answers are counted, and nothing is expected of them."""

    def __init__(self, name: str) -> None:
        self.title = f"transform {name}"
        self.transforms = (name,)


def load_probe(name: str) -> Probe:
    """Return the probe of a name, or the transform of that name as a probe.

    Raises :class:`UsageError` if there is neither, and :class:`PluginError` for a component that is no probe.
    """
    entries = manager().registry.entries
    # A probe before a transform of the same name (mirror is both): only the probe knows what to expect.
    if ("probe", name) not in entries and ("transform", name) in entries:
        return OfTransform(name)
    if ("probe", name) not in entries and ("probe", name) not in manager().registry.clashes:
        raise UsageError(f"there is no probe and no transform named {name!r}{suggest(name, probe_names())}")
    component = load("probe", name)
    # A class is registered as well as an instance, so that a plugin need not make one when it is imported.
    probe = component() if isinstance(component, type) else component
    if not isinstance(probe, Probe):
        package = manager().registry.entry("probe", name).package
        raise PluginError(f"probe {name!r} of package {package!r} is {component!r}; an s3harness.Probe is expected")
    return probe


def probe_names() -> list[str]:
    """Names of the registered probes, then of the transforms without a probe of their name."""
    registry = manager().registry
    return list(dict.fromkeys([*registry.names("probe"), *registry.names("transform")]))


def same(before: object) -> Expected:
    """Expect the same answer; times may differ by :data:`SAME_MOMENT_S`."""
    return Expected("same", lambda after: not differ(before, after))


def change(before: object) -> Expected:
    """Expect another answer."""
    return Expected("change", lambda after: differ(before, after))


def flip(becomes: object) -> Expected:
    """Expect the opposite answer, ``becomes``."""
    return Expected("flip", lambda after: not differ(becomes, after))


def absent(holds: Callable[[object], bool]) -> Expected:
    """Expect an answer that denies the signs that cannot be noticed any more."""
    return Expected("absent", holds)


SAME_MOMENT_S = 1.0
"""Seconds by which two times may differ and count as the same: annotations and prompts use whole seconds."""


def differ(before: object, after: object) -> bool:
    """Return ``True`` if two answers to one question differ."""
    # Only times are floats; words and tuples must be equal.
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) > SAME_MOMENT_S
    return before != after
