"""The plugin manager: find the installed plugins, let them register, call the hooks that observe a run.

Installed plugins are found by the entry-point group ``s3harness``. A plugin that fails is named with its error and
takes nothing else down. A built-in name cannot be taken by a plugin, and a name that two plugins claim can be used
from neither, so that installing a package never changes what a name means.

``S3HARNESS_PLUGINS=off`` leaves out everything but the built-ins; ``S3HARNESS_PLUGINS=trace`` reports on standard error
what is loaded and called, from where, and how long it took. ``S3HARNESS_PLUGINS_LIMIT_S`` is the number of seconds that
a plugin may take to load and register.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from typing import TYPE_CHECKING

import pluggy

from s3harness.errors import PluginError, S3HarnessError, UsageError, suggest
from s3harness.guard.telemetry import switch_off
from s3harness.plugins import hookspecs
from s3harness.plugins.discovery import normalised, packages_with
from s3harness.plugins.registry import (
    BUILTIN,
    SWITCH,
    Kind,
    Plugin,
    Registrar,
    Registration,
    Registry,
    RegistryEntry,
    checked_registration,
    traced,
)
from s3harness.plugins.time_limit import TookTooLong, deadline
from s3harness.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s3harness.plugins.discovery import EntryPoint, Package
    from s3harness.types import Request, Response, RunInfo, Score

LIMIT = "S3HARNESS_PLUGINS_LIMIT_S"
LIMIT_S = 20.0
"""Seconds in which a plugin must register, and an observer return; importing what it registered is not limited."""


class PluginManager:
    """Find the plugins, let them register, and call the observing hooks; the built-ins come first."""

    def __init__(self) -> None:
        # Before any plugin is imported: libraries read their telemetry switches on import.
        switch_off()
        self.registry = Registry()
        self.plugins: list[Plugin] = []
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._load_builtins()
        # After the built-ins, whose names no plugin may take.
        for package in _installed():
            self.plugins += [self._load(point, package) for point in package.entry_points]

    def run_started(self, run: RunInfo) -> list[str]:
        """Tell observers that a run starts; return what they raised."""
        return self._observe("s3harness_run_started", run=run)

    def response(self, request: Request, response: Response) -> list[str]:
        """Tell observers of a journalled response; return what they raised."""
        return self._observe("s3harness_response", request=request, response=response)

    def run_finished(self, run: RunInfo, scores: Sequence[Score]) -> list[str]:
        """Tell observers that a run is scored; return what they raised."""
        return self._observe("s3harness_run_finished", run=run, scores=scores)

    def _load_builtins(self) -> None:
        from s3harness.plugins import builtins

        for one in self._registrations(builtins):
            self.registry.add(RegistryEntry(**one._asdict(), package=BUILTIN, version=__version__))
        self.plugins.append(Plugin(BUILTIN, BUILTIN, __version__))

    def _load(self, point: EntryPoint, package: Package) -> Plugin:
        """Load one plugin; a plugin that fails is unregistered as a whole."""
        name = f"{package.name}:{point.name}"
        errors: list[str] = []
        try:
            with traced(f"plugin {point.name} of {package.name} {package.version} from {point.value}"):
                # What a plugin prints must not end up in the JSON or CSV that a command writes to standard output.
                with redirect_stdout(sys.stderr), deadline(_limit_s()):
                    registrations = self._registrations(point.load(), name)
                errors = self._add(registrations, package)
        except (Exception, SystemExit, TookTooLong) as error:
            # Its other hooks would be called otherwise, from a module that is half set up.
            if self._pluggy.has_plugin(name):
                self._pluggy.unregister(name=name)
            errors = [f"{type(error).__name__}: {error}"]
        if errors:
            self.registry.broken.append(package.name)
        return Plugin(point.name, package.name, package.version, "; ".join(errors))

    def _registrations(self, module: object, name: str | None = None) -> list[Registration]:
        """Take a plugin in, let it register, and return its registrations."""
        self._pluggy.register(module, name=name)
        registrations: list[Registration] = []
        registrar = Registrar(registrations.append)
        for caller in self._pluggy.get_hookcallers(module) or ():
            # pluggy accepts unknown hooks in silence: a misspelled name would simply never be called.
            if not caller.has_spec():
                hooks = [hook for hook in vars(hookspecs) if hook.startswith("s3harness_")]
                raise PluginError(f"there is no hook {caller.name!r}{suggest(caller.name, hooks)}")
        # Called here rather than through pluggy, which would stop at the first plugin that raises.
        for implementation in self._pluggy.hook.s3harness_register.get_hookimpls():
            if implementation.plugin is module:
                # A hook may leave out arguments that it does not use, as pluggy allows.
                implementation.function(*([registrar] if implementation.argnames else []))
        return registrations

    def _add(self, registrations: Sequence[Registration], package: Package) -> list[str]:
        """Add what a plugin registered; return the errors of the names that cannot be used."""
        errors = []
        for kind, name, target, summary, files in registrations:
            try:
                # One wrong name costs a plugin that name alone.
                checked_name, checked_target = checked_registration(kind, name, target)
                entry = RegistryEntry(
                    kind=kind,
                    name=checked_name,
                    target=checked_target,
                    package=package.name,
                    version=package.version,
                    summary=str(summary),
                    files=tuple(map(str, files)),
                )
                self.registry.add(entry)
            except PluginError as error:
                errors.append(str(error))
        return errors

    def _observe(self, hook: str, **arguments: object) -> list[str]:
        """Call the observers and return what they raised."""
        # Imported late: most commands call no observer.
        from copy import deepcopy

        errors, limit_s = [], _limit_s()
        for implementation in getattr(self._pluggy.hook, hook).get_hookimpls():
            try:
                # Each gets copies of its own, so that none can change what the run goes on with.
                copies = [deepcopy(arguments[name]) for name in implementation.argnames]
                with traced(f"{hook} of {implementation.plugin_name}"), deadline(limit_s):
                    implementation.function(*copies)
            except (Exception, SystemExit, TookTooLong) as error:
                errors.append(f"{implementation.plugin_name}: {type(error).__name__}: {error}")
        return errors


@lru_cache(maxsize=1)
def manager() -> PluginManager:
    """The plugin manager of this process; the installed plugins are looked for once."""
    with traced("all plugins"):
        return PluginManager()


def load(kind: Kind, name: str) -> object:
    """Import the object of a kind behind a name; :class:`UsageError` if there is none."""
    return manager().registry.load(kind, name)


@contextmanager
def blamed(kind: Kind, name: str) -> Iterator[None]:
    """Turn an exception of a plugin into a :class:`PluginError` that names the plugin.

    Errors of s3harness pass as they are, and so does an exception of a built-in, which is a bug.
    """
    try:
        yield
    except S3HarnessError:
        raise
    except Exception as error:
        entry = manager().registry.entries.get((kind, name))
        # A bug of the harness keeps its traceback.
        if entry is None or entry.package == BUILTIN:
            raise
        what = f"{kind} {name!r} of package {entry.package!r} failed: {type(error).__name__}: {error}"
        message = f"{what}; s3harness plugins check {kind}:{name}"
        raise PluginError(message) from error


def _limit_s() -> float:
    """Seconds in which a plugin must load and register: :data:`LIMIT` in the environment, or :data:`LIMIT_S`."""
    value = os.environ.get(LIMIT, "")
    try:
        seconds = float(value or LIMIT_S)
    except ValueError:
        seconds = 0.0
    # Written so that NaN is refused, too.
    if not seconds > 0:
        raise UsageError(f"{LIMIT} is {value!r}; a number of seconds above 0 is expected")
    return seconds


def _installed() -> list[Package]:
    """The packages with plugins, by name, unless plugins are switched off."""
    mode = os.environ.get(SWITCH, "")
    if mode not in ("", "on", "off", "trace"):
        raise UsageError(f"{SWITCH} is {mode!r}; it can be on, off or trace")
    packages = [] if mode == "off" else packages_with(hookspecs.PROJECT)
    return [package for package in packages if normalised(package.name) != BUILTIN]
