"""The registry: every name that can be asked for, by kind, and the package that brought it."""

from __future__ import annotations

import importlib
import os
import string
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn, get_args

from s3harness.errors import PluginError, UsageError, suggest
from s3harness.plugins.known_packages import OWN_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal[
    "backend",
    "model",
    "dataset",
    "exporter",
    "sampler",
    "transform",
    "strategy",
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


COMMAND_GROUPS = ("data",)
"""Groups of the command line to which plugins can add commands, registered as ``"GROUP COMMAND"``."""

_NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "._+-")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """One registered name: the import string of its object, and the package that brought it.

    A command may have a ``summary``, its line in ``s3harness --help``; an importer, patterns of the ``files`` it reads.
    """

    kind: Kind
    name: str
    target: str
    package: str
    version: str
    summary: str = ""
    files: tuple[str, ...] = ()

    def load(self) -> object:
        """Import the object; raise :class:`PluginError` naming the package and the reason if it cannot be imported."""
        module, _, attribute = self.target.partition(":")
        try:
            what = f"{self.kind} {self.name} of {self.package} from {self.target}"
            # What a module prints at import must not end up in a command's JSON.
            with traced(what), redirect_stdout(sys.stderr):
                return getattr(importlib.import_module(module), attribute)
        # Some scripts call sys.exit() at import; KeyboardInterrupt stays the user's.
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


class Registration(NamedTuple):
    """One call of a method of :class:`Registrar`."""

    kind: Kind
    name: str
    target: str
    summary: str = ""
    files: tuple[str, ...] = ()


class Registrar:
    """The argument of :func:`~s3harness.plugins.hookspecs.s3harness_register`: a method for each kind.

    Each method takes a name (letters, digits and ``._+-``) and an import string ``"package.module:attribute"``.
    """

    def __init__(self, register: Callable[[Registration], None]) -> None:
        self._register = register

    # Hidden from type checkers, for which every kind would exist otherwise.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"there is no kind {name!r} to register{suggest(name, KINDS)}")

    def backend(self, name: str, target: str) -> None:
        """A :class:`s3harness.Backend` class."""
        self._register(Registration("backend", name, target))

    def model(self, name: str, target: str) -> None:
        """A model card: the path of its YAML file or of a directory with ``NAME.yaml``, or a function returning it."""
        self._register(Registration("model", name, target))

    def dataset(self, name: str, target: str, *, files: tuple[str, ...] = ()) -> None:
        """A function ``(source: Path, out: Path, **options) -> None`` that imports foreign data.

        A :class:`s3harness.AnnotationImporter` is one that only reads annotations. ``files`` are patterns of names of
        the sources for which ``s3harness data import SOURCE`` takes this importer: ``"*.eaf"`` a file of such a name,
        ``"*/*.eaf"`` a folder that holds one.
        """
        self._register(Registration("dataset", name, target, files=files))

    def exporter(self, name: str, target: str) -> None:
        """A function ``(annotations: AnnotationSet, out: Path, **options) -> notes`` that writes for another tool."""
        self._register(Registration("exporter", name, target))

    def sampler(self, name: str, target: str) -> None:
        """A function ``(video: Video, subject: str, **params) -> list[Clip]``."""
        self._register(Registration("sampler", name, target))

    def transform(self, name: str, target: str) -> None:
        """A function ``(frames: Frames) -> Frames``, or a :class:`s3harness.Transform`: a change of what is shown."""
        self._register(Registration("transform", name, target))

    def strategy(self, name: str, target: str) -> None:
        """A :class:`s3harness.Strategy` class: by which turns of a conversation an item is answered."""
        self._register(Registration("strategy", name, target))

    def parser(self, name: str, target: str) -> None:
        """A function ``(text: str, **params) -> Reading``."""
        self._register(Registration("parser", name, target))

    def aggregator(self, name: str, target: str) -> None:
        """A function ``(answers: Sequence[Answer], **params) -> Aggregate``."""
        self._register(Registration("aggregator", name, target))

    def metric(self, name: str, target: str) -> None:
        """A :class:`s3harness.Metric` class, or a function of its parameters that returns one."""
        self._register(Registration("metric", name, target))

    def rqi_penalty(self, name: str, target: str) -> None:
        """A function from the context of a report's score to a penalty."""
        self._register(Registration("rqi_penalty", name, target))

    def judge(self, name: str, target: str) -> None:
        """A :class:`s3harness.Judge` class: the question about a report, and the reading of the reply."""
        self._register(Registration("judge", name, target))

    def probe(self, name: str, target: str) -> None:
        """A :class:`s3harness.Probe`: a label-free probe of the evidence that a model uses."""
        self._register(Registration("probe", name, target))

    def classifier(self, name: str, target: str) -> None:
        """A :class:`s3harness.Classifier` class: ES or NES from the signs of Task 1 (``diagnose``)."""
        self._register(Registration("classifier", name, target))

    def trainer(self, name: str, target: str) -> None:
        """A function ``(job: TrainingJob) -> facts`` that writes weights; see :class:`s3harness.TrainingJob`."""
        self._register(Registration("trainer", name, target))

    def executor(self, name: str, target: str) -> None:
        """A function that sends the requests of a plan to the backend."""
        self._register(Registration("executor", name, target))

    def task_specs(self, name: str, target: str) -> None:
        """Task specs: the path of a directory with ``tasks/*.yaml``, or a function that returns it."""
        self._register(Registration("task_specs", name, target))

    def command(self, name: str, target: str, *, summary: str = "") -> None:
        """A click command of the ``s3harness`` command line; ``"data NAME"`` is one of the group ``s3harness data``.

        ``summary`` is its line in ``s3harness --help``, which does not import the command.
        """
        self._register(Registration("command", name, target, summary))


@dataclass
class Registry:
    """All names by kind. Loading an object imports its module; looking a name up does not.

    ``clashes`` holds the names that two plugins claim, ``broken`` the packages whose plugin failed.
    """

    entries: dict[tuple[Kind, str], RegistryEntry] = field(default_factory=dict)
    clashes: dict[tuple[Kind, str], list[RegistryEntry]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, entry: RegistryEntry) -> None:
        """Add an entry; raise :class:`PluginError` naming both packages if its name is taken."""
        key = (entry.kind, entry.name)
        taken = self.entries.get(key) or next(iter(self.clashes.get(key, [])), None)
        if taken is None:
            self.entries[key] = entry
            return
        # Neither of two plugins gets the name: the order of installation must not decide what it means.
        if taken.package != BUILTIN:
            self.clashes.setdefault(key, [self.entries.pop(key)] if key in self.entries else []).append(entry)
        raise PluginError(_taken(entry, taken))

    def names(self, kind: Kind) -> list[str]:
        """The names of a kind, in the order of registration."""
        return [name for k, name in self.entries if k == kind]

    def entry(self, kind: Kind, name: str) -> RegistryEntry:
        """Return the entry of a name; raise :class:`UsageError` with the nearest names if there is none."""
        if (kind, name) in self.clashes:
            # Two of the claimants suffice for the message; the list shows all.
            first, second, *_ = self.clashes[kind, name]
            raise PluginError(_taken(second, first))
        if (kind, name) not in self.entries:
            why = f"; broken plugins: {', '.join(self.broken)} (s3harness plugins list)" if self.broken else ""
            remedy = self.remedy(kind, name)
            nearest = f" here: {remedy}" if remedy else suggest(name, self.names(kind))
            raise UsageError(f"there is no {kind} named {name!r}{nearest}{why}")
        return self.entries[kind, name]

    def load(self, kind: Kind, name: str) -> object:
        """Import the object behind a name."""
        return self.entry(kind, name).load()

    def remedy(self, kind: Kind, name: str) -> str:
        """Return the command that installs the project's own package that brings a name; empty if none does."""
        package = OWN_PACKAGES.get((kind, name), "")
        # Quoted, because zsh takes brackets for a pattern of file names.
        quoted = f"'{package}'" if "[" in package else package
        return f"pip install {quoted}" if package else ""


@contextmanager
def traced(what: str) -> Iterator[None]:
    """Report what was done and how long it took on standard error if ``S3HARNESS_PLUGINS=trace``."""
    started = time.perf_counter()
    try:
        yield
    finally:
        if os.environ.get(SWITCH) == "trace":
            print(f"s3harness: {what}: {(time.perf_counter() - started) * 1e3:.1f} ms", file=sys.stderr)


def checked_registration(kind: Kind, name: object, target: object) -> tuple[str, str]:
    """Return a name and an import string of the right form; raise :class:`PluginError` otherwise."""
    if not isinstance(name, str):
        raise PluginError(f"{kind} {name!r}: a name has letters, digits and ._+- and begins with a letter or digit")
    # Only commands have groups: a blank in any other name is an error.
    group, _, inner = name.rpartition(" ") if kind == "command" else ("", "", name)
    if group and group not in COMMAND_GROUPS:
        groups = " or ".join(COMMAND_GROUPS)
        raise PluginError(f"command {name!r}: a plugin can add commands to the group {groups}, not to {group!r}")
    if not inner[:1].isalnum() or set(inner) - _NAME_CHARACTERS:
        raise PluginError(f"{kind} {name!r}: a name has letters, digits and ._+- and begins with a letter or digit")
    module, _, attribute = target.partition(":") if isinstance(target, str) else ("", "", "")
    if not (attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise PluginError(
            f"{kind} {name!r}: the target {target!r} is not an import string like 'package.module:attribute'"
        )
    return name, f"{module}:{attribute}"


def _taken(entry: RegistryEntry, taken: RegistryEntry) -> str:
    what = f"{entry.kind} {entry.name!r}"
    if entry.package == taken.package:
        return f"{what} is registered twice by {entry.package!r}; it must choose two names"
    if taken.package == BUILTIN:
        return f"{what} is built in, so {entry.package!r} cannot use its name; it must choose another"
    packages = " and ".join(repr(package) for package in sorted((taken.package, entry.package)))
    return f"{what} is registered by both {packages} so neither can be used; uninstall one of them"
