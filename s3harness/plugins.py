"""The plugin manager, and the registry of everything that has a name.

Installed plugins are found by the entry-point group ``s3harness``. A plugin that fails is named with its error and
takes nothing else down. A built-in name cannot be taken by a plugin, and a name that two plugins claim can be used
from neither, so that installing a package never changes what a name means.

``S3HARNESS_PLUGINS=off`` leaves out everything but the built-ins; ``S3HARNESS_PLUGINS=trace`` says on standard error
what is loaded, from where, and how long it took.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import pluggy

from s3harness import hookspecs
from s3harness.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import EntryPoint

    from s3harness.run.manifest import RunInfo
    from s3harness.types import Request, Response, Score

Kind = Literal[
    "backend",
    "model",
    "dataset",
    "sampler",
    "transform",
    "parser",
    "aggregator",
    "metric",
    "rqi_penalty",
    "judge",
    "probe",
    "trainer",
    "executor",
    "task_specs",
    "command",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
BUILTIN = "s3harness"


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered name: where its object is, and which package brought it."""

    kind: Kind
    name: str
    target: str
    package: str
    version: str

    def load(self) -> object:
        """Import the object, or raise :class:`PluginError` naming the package and the reason."""
        module, _, attribute = self.target.partition(":")
        trace(f"{self.kind} {self.name} from {self.target}")
        try:
            return getattr(importlib.import_module(module), attribute)
        except Exception as error:
            message = f"{self.kind} {self.name!r} of package {self.package!r} cannot be imported from {self.target!r}"
            raise PluginError(f"{message}: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Plugin:
    """One installed plugin; ``error`` is empty when all it offers can be used."""

    name: str
    package: str
    version: str
    error: str = ""


class Registrar:
    """What :func:`~s3harness.hookspecs.s3harness_register` is given: a method for each kind.

    Each takes a name and an import string ``"package.module:attribute"``.
    """

    def __init__(self, register: Callable[[Kind, str, str], None]) -> None:
        self._register = register

    def backend(self, name: str, target: str) -> None:
        """A :class:`s3harness.Backend` class."""
        self._register("backend", name, target)

    def model(self, name: str, target: str) -> None:
        """A model card: a path to its YAML file, or a function that returns one."""
        self._register("model", name, target)

    def dataset(self, name: str, target: str) -> None:
        """A function ``(source: Path, out: Path, **options) -> None`` that imports foreign data."""
        self._register("dataset", name, target)

    def sampler(self, name: str, target: str) -> None:
        """A function ``(video: Video, subject: str, **params) -> list[Clip]``."""
        self._register("sampler", name, target)

    def transform(self, name: str, target: str) -> None:
        """A function ``(frames: Frames) -> Frames`` applied to what a model is shown."""
        self._register("transform", name, target)

    def parser(self, name: str, target: str) -> None:
        """A function ``(text: str, **params) -> Reading``."""
        self._register("parser", name, target)

    def aggregator(self, name: str, target: str) -> None:
        """A function ``(answers: Sequence[Answer], **params) -> Aggregate``."""
        self._register("aggregator", name, target)

    def metric(self, name: str, target: str) -> None:
        """A :class:`s3harness.Metric` class, or a function of its parameters that returns one."""
        self._register("metric", name, target)

    def rqi_penalty(self, name: str, target: str) -> None:
        """A function from the context of a report's score to a penalty."""
        self._register("rqi_penalty", name, target)

    def judge(self, name: str, target: str) -> None:
        """A judge that reads reports by a language model."""
        self._register("judge", name, target)

    def probe(self, name: str, target: str) -> None:
        """A label-free probe of what evidence a model uses."""
        self._register("probe", name, target)

    def trainer(self, name: str, target: str) -> None:
        """A trainer."""
        self._register("trainer", name, target)

    def executor(self, name: str, target: str) -> None:
        """A function that carries out a plan."""
        self._register("executor", name, target)

    def task_specs(self, name: str, target: str) -> None:
        """A directory of task specs: a path, or a function that returns one."""
        self._register("task_specs", name, target)

    def command(self, name: str, target: str) -> None:
        """A click command of the ``s3harness`` command line."""
        self._register("command", name, target)


@dataclass
class Registry:
    """All names by kind. Loading an object imports its module, looking a name up does not."""

    entries: dict[tuple[Kind, str], Entry] = field(default_factory=dict)
    clashes: dict[tuple[Kind, str], list[Entry]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add an entry, or raise :class:`PluginError` naming both packages if its name is taken."""
        key = (entry.kind, entry.name)
        taken = self.entries.get(key) or next(iter(self.clashes.get(key, [])), None)
        if taken is None:
            self.entries[key] = entry
            return
        if taken.package != BUILTIN:
            self.clashes.setdefault(key, [self.entries.pop(key)] if key in self.entries else []).append(entry)
        raise PluginError(
            f"{entry.kind} {entry.name!r} is registered by both {taken.package!r} and {entry.package!r}; "
            f"uninstall one of them or have {entry.package!r} choose another name"
        )

    def names(self, kind: Kind) -> list[str]:
        """The names of a kind, in the order of registration."""
        return [name for k, name in self.entries if k == kind]

    def entry(self, kind: Kind, name: str) -> Entry:
        """The entry of a name, or :class:`UsageError` with the names that come nearest."""
        if (kind, name) in self.clashes:
            packages = " and ".join(repr(entry.package) for entry in self.clashes[kind, name])
            raise PluginError(f"{kind} {name!r} is registered by {packages}; uninstall one of them")
        if (kind, name) not in self.entries:
            raise UsageError(f"there is no {kind} named {name!r}{suggest(name, self.names(kind))}")
        return self.entries[kind, name]

    def load(self, kind: Kind, name: str) -> object:
        """Import the object behind a name."""
        return self.entry(kind, name).load()


class PluginManager:
    """Finds the plugins, lets them register, and calls the observing hooks."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.plugins: list[Plugin] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        for entry_point in _entry_points():
            self.plugins.append(self._load(entry_point))

    def run_started(self, run: RunInfo) -> list[str]:
        """Tell observers that a run starts; returns what they raised."""
        return self._observe("s3harness_run_started", run=run)

    def response(self, request: Request, response: Response) -> list[str]:
        """Tell observers of a journalled response; returns what they raised."""
        return self._observe("s3harness_response", request=request, response=response)

    def run_finished(self, run: RunInfo, scores: Sequence[Score]) -> list[str]:
        """Tell observers that a run is scored; returns what they raised."""
        return self._observe("s3harness_run_finished", run=run, scores=scores)

    def _load(self, entry_point: EntryPoint) -> Plugin:
        package = entry_point.dist.name if entry_point.dist else entry_point.value
        version = entry_point.dist.version if entry_point.dist else ""
        trace(f"plugin {entry_point.name} of {package} {version}")
        errors: list[str] = []
        try:
            module = entry_point.load()
            self._pluggy.register(module, name=f"{package}:{entry_point.name}")
            self._let_register(module, package, version, errors)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        return Plugin(entry_point.name, package, version, "; ".join(errors))

    def _let_register(self, module: object, package: str, version: str, errors: list[str]) -> None:
        def register(kind: Kind, name: str, target: str) -> None:
            try:
                self.registry.add(Entry(kind, name, target, package, version))
            except PluginError as error:
                errors.append(str(error))

        for implementation in self._pluggy.hook.s3harness_register.get_hookimpls():
            if implementation.plugin is module:
                implementation.function(Registrar(register))

    def _observe(self, hook: str, **arguments: object) -> list[str]:
        errors = []
        for implementation in getattr(self._pluggy.hook, hook).get_hookimpls():
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception as error:
                errors.append(f"{implementation.plugin_name}: {type(error).__name__}: {error}")
        return errors


@lru_cache(maxsize=1)
def manager() -> PluginManager:
    """The plugin manager of this process; plugins are looked for once."""
    started = time.perf_counter()
    found = PluginManager()
    trace(f"{len(found.plugins)} plugins in {time.perf_counter() - started:.3f} s")
    return found


def load(kind: Kind, name: str) -> object:
    """Import the object of a kind behind a name; :class:`UsageError` if there is none."""
    return manager().registry.load(kind, name)


def suggest(name: str, known: Sequence[str]) -> str:
    """How an error about an unknown name ends: the nearest known ones, or all."""
    near = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; known: {', '.join(known) or 'none'}"


def trace(message: str) -> None:
    """Say what is loaded, if ``S3HARNESS_PLUGINS=trace``."""
    if os.environ.get("S3HARNESS_PLUGINS") == "trace":
        print(f"s3harness: {message}", file=sys.stderr)


def _entry_points() -> list[EntryPoint]:
    """The built-ins first, then the installed plugins by name."""
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=hookspecs.PROJECT), key=lambda ep: (ep.value != "s3harness.builtins", ep.name))
    only_builtin = os.environ.get("S3HARNESS_PLUGINS") == "off"
    return [ep for ep in found if ep.value == "s3harness.builtins" or not only_builtin]
