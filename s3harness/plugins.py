"""The plugin manager, and the registry of everything that has a name.

Installed plugins are found by the entry-point group ``s3harness``. A plugin that fails is named with its error and
takes nothing else down. A built-in name cannot be taken by a plugin, and a name that two plugins claim can be used
from neither, so that installing a package never changes what a name means.

``S3HARNESS_PLUGINS=off`` leaves out everything but the built-ins; ``S3HARNESS_PLUGINS=trace`` says on standard error
what is loaded and called, from where, and how long it took. ``S3HARNESS_PLUGINS_LIMIT_S`` is how many seconds a plugin
may take to load and register.
"""

from __future__ import annotations

import importlib
import os
import string
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NoReturn, get_args

import pluggy

from s3harness import hookspecs
from s3harness.deadline import TookTooLong, deadline
from s3harness.errors import PluginError, S3HarnessError, UsageError
from s3harness.installed import normalised, packages_with
from s3harness.own_packages import OWN_PACKAGES
from s3harness.telemetry import switch_off

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s3harness.installed import EntryPoint, Package
    from s3harness.types import Request, Response, RunInfo, Score

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
    "classifier",
    "trainer",
    "executor",
    "task_specs",
    "command",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
BUILTIN = "s3harness"
SWITCH = "S3HARNESS_PLUGINS"
LIMIT = "S3HARNESS_PLUGINS_LIMIT_S"
LIMIT_S = 20.0
"""A plugin that takes longer to register, or to observe, is broken; what it registers may take its time to load."""

_NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._+-")


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
        try:
            what = f"{self.kind} {self.name} of {self.package} from {self.target}"
            with traced(what), redirect_stdout(sys.stderr):
                return getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as error:
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

    Each takes a name (letters, digits and ``._+-``) and an import string ``"package.module:attribute"``.
    """

    def __init__(self, register: Callable[[Kind, str, str], None]) -> None:
        self._register = register

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"there is no kind {name!r} to register{suggest(name, KINDS)}")

    def backend(self, name: str, target: str) -> None:
        """A :class:`s3harness.Backend` class."""
        self._register("backend", name, target)

    def model(self, name: str, target: str) -> None:
        """A model card: the path of its YAML file or of a directory with ``NAME.yaml``, or a function returning it."""
        self._register("model", name, target)

    def dataset(self, name: str, target: str) -> None:
        """A function ``(source: Path, out: Path, **options) -> None`` that imports foreign data."""
        self._register("dataset", name, target)

    def sampler(self, name: str, target: str) -> None:
        """A function ``(video: Video, subject: str, **params) -> list[Clip]``."""
        self._register("sampler", name, target)

    def transform(self, name: str, target: str) -> None:
        """A function ``(frames: Frames) -> Frames``, or a :class:`s3harness.Transform`: what a model is shown."""
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
        """A :class:`s3harness.Judge` class: what a model is asked about a report, and how its reply is read."""
        self._register("judge", name, target)

    def probe(self, name: str, target: str) -> None:
        """A :class:`s3harness.Probe`: a label-free probe of what evidence a model uses."""
        self._register("probe", name, target)

    def classifier(self, name: str, target: str) -> None:
        """A :class:`s3harness.Classifier` class: what tells ES from NES by the signs of Task 1 (``diagnose``)."""
        self._register("classifier", name, target)

    def trainer(self, name: str, target: str) -> None:
        """A function ``(job: TrainingJob) -> facts`` that writes weights; see :class:`s3harness.TrainingJob`."""
        self._register("trainer", name, target)

    def executor(self, name: str, target: str) -> None:
        """A function that carries out a plan."""
        self._register("executor", name, target)

    def task_specs(self, name: str, target: str) -> None:
        """Task specs: the path of a directory with ``tasks/*.yaml``, or a function that returns it."""
        self._register("task_specs", name, target)

    def command(self, name: str, target: str) -> None:
        """A click command of the ``s3harness`` command line."""
        self._register("command", name, target)


@dataclass
class Registry:
    """All names by kind. Loading an object imports its module, looking a name up does not.

    ``clashes`` holds the names that two plugins claim, ``broken`` the packages whose plugin failed.
    """

    entries: dict[tuple[Kind, str], Entry] = field(default_factory=dict)
    clashes: dict[tuple[Kind, str], list[Entry]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Add an entry, or raise :class:`PluginError` naming both packages if its name is taken."""
        key = (entry.kind, entry.name)
        taken = self.entries.get(key) or next(iter(self.clashes.get(key, [])), None)
        if taken is None:
            self.entries[key] = entry
            return
        if taken.package != BUILTIN:
            self.clashes.setdefault(key, [self.entries.pop(key)] if key in self.entries else []).append(entry)
        raise PluginError(_taken(entry, taken))

    def names(self, kind: Kind) -> list[str]:
        """The names of a kind, in the order of registration."""
        return [name for k, name in self.entries if k == kind]

    def entry(self, kind: Kind, name: str) -> Entry:
        """The entry of a name, or :class:`UsageError` with the names that come nearest."""
        if (kind, name) in self.clashes:
            first, second, *_ = self.clashes[kind, name]
            raise PluginError(_taken(second, first))
        if (kind, name) not in self.entries:
            why = f"; broken plugins: {', '.join(self.broken)} (s3harness plugins list)" if self.broken else ""
            raise UsageError(f"there is no {kind} named {name!r}{self._remedy(kind, name)}{why}")
        return self.entries[kind, name]

    def load(self, kind: Kind, name: str) -> object:
        """Import the object behind a name."""
        return self.entry(kind, name).load()

    def _remedy(self, kind: Kind, name: str) -> str:
        """What to install if a package of the project brings the name, otherwise the names that come nearest."""
        package = OWN_PACKAGES.get((kind, name))
        return f" here: pip install {package}" if package else suggest(name, self.names(kind))


class PluginManager:
    """Finds the plugins, lets them register, and calls the observing hooks.

    The built-ins are there whatever is installed, and come first.
    """

    def __init__(self) -> None:
        switch_off()
        self.registry = Registry()
        self.plugins: list[Plugin] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._load_builtins()
        for package in _installed():
            self.plugins += [self._load(point, package) for point in package.entry_points]

    def run_started(self, run: RunInfo) -> list[str]:
        """Tell observers that a run starts; returns what they raised."""
        return self._observe("s3harness_run_started", run=run)

    def response(self, request: Request, response: Response) -> list[str]:
        """Tell observers of a journalled response; returns what they raised."""
        return self._observe("s3harness_response", request=request, response=response)

    def run_finished(self, run: RunInfo, scores: Sequence[Score]) -> list[str]:
        """Tell observers that a run is scored; returns what they raised."""
        return self._observe("s3harness_run_finished", run=run, scores=scores)

    def _load_builtins(self) -> None:
        from s3harness import __version__, builtins

        for kind, name, target in self._registrations(builtins):
            self.registry.add(Entry(kind, name, target, BUILTIN, __version__))
        self.plugins.append(Plugin(BUILTIN, BUILTIN, __version__))

    def _load(self, point: EntryPoint, package: Package) -> Plugin:
        """Load one plugin; one that fails is taken out whole. What it prints is no part of any output."""
        name = f"{package.name}:{point.name}"
        errors: list[str] = []
        try:
            with traced(f"plugin {point.name} of {package.name} {package.version} from {point.value}"):
                with redirect_stdout(sys.stderr), deadline(_limit_s()):
                    registrations = self._registrations(point.load(), name)
                errors = self._add(registrations, package)
        except (Exception, SystemExit, TookTooLong) as error:
            if self._pluggy.has_plugin(name):
                self._pluggy.unregister(name=name)
            errors = [f"{type(error).__name__}: {error}"]
        if errors:
            self.registry.broken.append(package.name)
        return Plugin(point.name, package.name, package.version, "; ".join(errors))

    def _registrations(self, module: object, name: str | None = None) -> list[tuple[Kind, str, str]]:
        """Take a plugin in and let it register; returns what it does."""
        self._pluggy.register(module, name=name)
        said: list[tuple[Kind, str, str]] = []
        registrar = Registrar(lambda *registration: said.append(registration))
        for caller in self._pluggy.get_hookcallers(module) or ():
            if not caller.has_spec():
                known = [hook for hook in vars(hookspecs) if hook.startswith("s3harness_")]
                raise PluginError(f"there is no hook {caller.name!r}{suggest(caller.name, known)}")
        for implementation in self._pluggy.hook.s3harness_register.get_hookimpls():
            if implementation.plugin is module:
                implementation.function(*([registrar] if implementation.argnames else []))
        return said

    def _add(self, registrations: Sequence[tuple[Kind, str, str]], package: Package) -> list[str]:
        """Add what a plugin registered; returns what is wrong with it, the rest can be used."""
        errors = []
        for kind, name, target in registrations:
            try:
                self.registry.add(Entry(kind, *_checked(kind, name, target), package.name, package.version))
            except PluginError as error:
                errors.append(str(error))
        return errors

    def _observe(self, hook: str, **arguments: object) -> list[str]:
        """Call the observers, each with copies of its own, so that none can change what the run goes on with."""
        from copy import deepcopy

        errors, limit_s = [], _limit_s()
        for implementation in getattr(self._pluggy.hook, hook).get_hookimpls():
            try:
                copies = [deepcopy(arguments[name]) for name in implementation.argnames]
                with traced(f"{hook} of {implementation.plugin_name}"), deadline(limit_s):
                    implementation.function(*copies)
            except (Exception, SystemExit, TookTooLong) as error:
                errors.append(f"{implementation.plugin_name}: {type(error).__name__}: {error}")
        return errors


@lru_cache(maxsize=1)
def manager() -> PluginManager:
    """The plugin manager of this process; plugins are looked for once."""
    with traced("all plugins"):
        return PluginManager()


def load(kind: Kind, name: str) -> object:
    """Import the object of a kind behind a name; :class:`UsageError` if there is none."""
    return manager().registry.load(kind, name)


@contextmanager
def blamed(kind: Kind, name: str) -> Iterator[None]:
    """What a plugin raises here, but errors of s3harness, becomes a :class:`PluginError` that names it.

    A fault of what is built in stays what it is: a bug.
    """
    try:
        yield
    except S3HarnessError:
        raise
    except Exception as error:
        entry = manager().registry.entries.get((kind, name))
        if entry is None or entry.package == BUILTIN:
            raise
        said = f"{type(error).__name__}: {error}"
        message = f"{kind} {name!r} of package {entry.package!r} failed: {said}; s3harness plugins check {kind}:{name}"
        raise PluginError(message) from error


def suggest(name: str, known: Sequence[str]) -> str:
    """How an error about an unknown name ends: the nearest known ones, or all."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; known: {', '.join(known) or 'none'}"


@contextmanager
def traced(what: str) -> Iterator[None]:
    """If ``S3HARNESS_PLUGINS=trace``, say on standard error what was done and how long it took."""
    started = time.perf_counter()
    try:
        yield
    finally:
        if os.environ.get(SWITCH) == "trace":
            print(f"s3harness: {what}: {(time.perf_counter() - started) * 1e3:.1f} ms", file=sys.stderr)


def _limit_s() -> float:
    """How long a plugin may take to load and register, in seconds: :data:`LIMIT`, or :data:`LIMIT_S`."""
    said = os.environ.get(LIMIT, "")
    try:
        seconds = float(said or LIMIT_S)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise UsageError(f"{LIMIT} is {said!r}; a number of seconds above 0 is expected")
    return seconds


def _checked(kind: Kind, name: object, target: object) -> tuple[str, str]:
    """A name and an import string that are of the right form, or :class:`PluginError`."""
    if not isinstance(name, str) or not name[:1].isalnum() or set(name) - _NAME_CHARACTERS:
        raise PluginError(f"{kind} {name!r}: a name has letters, digits and ._+- and begins with a letter or digit")
    module, _, attribute = target.partition(":") if isinstance(target, str) else ("", "", "")
    if not (attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise PluginError(f"{kind} {name!r}: the target {target!r} is no import string like 'package.module:attribute'")
    return name, f"{module}:{attribute}"


def _taken(entry: Entry, taken: Entry) -> str:
    what = f"{entry.kind} {entry.name!r}"
    if entry.package == taken.package:
        return f"{what} is registered twice by {entry.package!r}; it must choose two names"
    if taken.package == BUILTIN:
        return f"{what} is built in, {entry.package!r} cannot take its name; it must choose another"
    packages = " and ".join(repr(package) for package in sorted((taken.package, entry.package)))
    return f"{what} is registered by both {packages} and can be used of neither; uninstall one of them"


def _installed() -> list[Package]:
    """The packages with plugins, by name, unless plugins are switched off."""
    mode = os.environ.get(SWITCH, "")
    if mode not in ("", "on", "off", "trace"):
        raise UsageError(f"{SWITCH} is {mode!r}; it can be on, off or trace")
    found = [] if mode == "off" else packages_with(hookspecs.PROJECT)
    return [package for package in found if normalised(package.name) != BUILTIN]
