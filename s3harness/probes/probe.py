"""The contract of a probe: what is changed, and what that should do to an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from s3harness.errors import PluginError, UsageError, suggest
from s3harness.plugins.manager import load, manager
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Clip, Video

Direction = Literal["same", "flip", "absent", "change", "open"]
"""What an answer should do: stay, become its opposite, deny what can no longer be noticed, become another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer answers: the kind of item (``feature``, ``laterality``, …) and the subject."""

    item: str
    subject: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What should become of an answer: ``holds`` tells of the new one; ``open`` expects nothing."""

    direction: Direction
    holds: Callable[[object], bool]


OPEN = Expected("open", lambda after: True)


class Probe:
    """Asks a run's questions once more, of clips shown through ``transforms`` or in other words (:meth:`reword`).

    Answers are compared as :func:`s3harness.analysis.evidence.said` has them: a word for a sign, a side and a
    diagnosis, seconds for a moment, a tuple of signs for a sequence, and of (signs, sides) for a report. ``version`` is
    raised whenever the probe does something else.
    """

    title: str = ""
    version: str = "1"
    transforms: tuple[str, ...] = ()

    def reword(self, spec: TaskSpec) -> TaskSpec | None:
        """The task as it is now asked; ``None`` if the probe has nothing to ask in it."""
        return spec

    def truth(self, video: Video, clip: Clip) -> Video | None:
        """The annotations that answer the question as it is now asked, ``None`` where nobody knows them."""
        return video

    def expect(self, asked: Asked, before: object) -> Expected:
        """What should become of an answer."""
        return OPEN


class OfTransform(Probe):
    """A transform as a probe: what it does to answers is counted, and nothing is expected."""

    def __init__(self, name: str) -> None:
        self.title = f"shown through {name}"
        self.transforms = (name,)


def load_probe(name: str) -> Probe:
    """The probe of a name, or the transform of that name as one; :class:`UsageError` if there is neither."""
    entries = manager().registry.entries
    if ("probe", name) not in entries and ("transform", name) in entries:
        return OfTransform(name)
    if ("probe", name) not in entries and ("probe", name) not in manager().registry.clashes:
        raise UsageError(f"there is no probe and no transform named {name!r}{suggest(name, probe_names())}")
    found = load("probe", name)
    made = found() if isinstance(found, type) else found
    if not isinstance(made, Probe):
        package = manager().registry.entry("probe", name).package
        raise PluginError(f"probe {name!r} of package {package!r} is {found!r}; a s3harness.Probe is expected")
    return made


def probe_names() -> list[str]:
    """All registered probes, and the transforms that are none of their names, which are probes as well."""
    registry = manager().registry
    return list(dict.fromkeys([*registry.names("probe"), *registry.names("transform")]))


def same(before: object) -> Expected:
    """The answer should stay. Moments may differ by :data:`SAME_MOMENT_S`."""
    return Expected("same", lambda after: not differ(before, after))


def change(before: object) -> Expected:
    """The answer should become another one."""
    return Expected("change", lambda after: differ(before, after))


def flip(becomes: object) -> Expected:
    """The answer should become its opposite, and that is ``becomes``."""
    return Expected("flip", lambda after: not differ(becomes, after))


def absent(holds: Callable[[object], bool]) -> Expected:
    """The answer should deny what can no longer be noticed."""
    return Expected("absent", holds)


SAME_MOMENT_S = 1.0
"""Seconds by which two moments may differ and be the same: annotators and prompts tell whole seconds."""


def differ(before: object, after: object) -> bool:
    """Whether two answers to one question differ."""
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after) > SAME_MOMENT_S
    return before != after
