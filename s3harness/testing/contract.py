"""Contract tests of each kind of plugin, run by ``s3harness plugins check`` and by the tests of plugins.

::

    import pytest
    from s3harness.testing import check, promises

    @pytest.mark.parametrize("promise", promises("sampler"))
    def test_my_sampler_keeps(promise):
        check("sampler", "my_sampler", promise)

Each component is tried once, whatever the number of its promises. The plugin runs in this process, so a crash of
compiled code ends it; the command starts a process for each component.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import cast, get_args

from s3harness.errors import PluginError, UsageError, suggest
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import KINDS, Kind
from s3harness.testing.trial import COMMON, LIMIT_S, Bench, BrokenPromise, TrialSettings

DATA: frozenset[Kind] = frozenset({"model", "task_specs"})
"""Kinds whose target is a path, which has no docstring."""


class BrokenContract(AssertionError):
    """A plugin breaks promises of its kind; the message names each."""


@dataclass(frozen=True, slots=True)
class ContractVerdict:
    """Result of trying one component: the promises that it broke, and the trials that were not possible, and why."""

    kind: str
    name: str
    findings: tuple[BrokenPromise, ...]
    untried: tuple[str, ...] = ()


def promises(kind: str) -> list[str]:
    """Return the names of the promises of a kind, those of every kind first."""
    return list(promises_of(kind))


def promises_of(kind: str) -> Mapping[str, str]:
    """Return promise → its text, of a kind; raise :class:`UsageError` for an unknown kind."""
    if kind not in get_args(Kind):
        raise UsageError(f"there is no kind {kind!r} of plugins{suggest(kind, KINDS)}")
    # Imported by name, so that listing the promises of one kind imports nothing of the others.
    own: Mapping[str, str] = import_module(f"s3harness.testing.kinds.{kind}").PROMISES
    return {**COMMON, **own}


def check(
    kind: Kind,
    name: str,
    promise: str = "",
    *,
    options: Mapping[str, object] | None = None,
    item: str = "",
    model: str = "",
    allow_remote: Sequence[str] = (),
    limit_s: float = LIMIT_S,
) -> None:
    """Raise :class:`BrokenContract` if the component of this name breaks the ``promise``; any promise if it is empty.

    :class:`~s3harness.testing.trial.TrialSettings` documents the other arguments. Raises :class:`UsageError` for an
    unknown kind, name or promise.
    """
    own_promises = promises_of(kind)
    if promise and promise not in own_promises:
        raise UsageError(f"a {kind} has no promise {promise!r}{suggest(promise, list(own_promises))}")
    settings = TrialSettings(options=options or {}, item=item, model=model, allow_remote=allow_remote, limit_s=limit_s)
    broken = [one for one in verdict(kind, name, settings).findings if promise in ("", one.promise)]
    if broken:
        raise BrokenContract("\n".join(map(str, broken)))


def verdict(kind: Kind, name: str, settings: TrialSettings | None = None) -> ContractVerdict:
    """Try the component of this name; repeated calls with the same settings return the same result."""
    settings, plugins = settings or TrialSettings(), manager()
    for manager_then, component, settings_then, result in _results:
        # Tests build plugin managers of their own, in which the same name may be another component.
        if (component, settings_then) == ((kind, name), settings) and manager_then is plugins:
            return result
    # Outside the trial: an unknown name is the caller's error, not a broken promise.
    plugins.registry.entry(kind, name)
    bench = Bench(kind=kind, name=name, thing=None, settings=settings, promises=promises_of(kind))
    with bench.trying("loads"):
        bench.thing = plugins.registry.load(kind, name)
    result = _verdict(bench) if bench.thing is None else _try(bench)
    _results.append((plugins, (kind, name), settings, result))
    return result


def try_object(kind: Kind, thing: object, settings: TrialSettings | None = None) -> ContractVerdict:
    """Try an object that is not registered."""
    name = getattr(thing, "__name__", type(thing).__name__)
    settings = settings or TrialSettings()
    return _try(Bench(kind=kind, name=name, thing=thing, settings=settings, promises=promises_of(kind)))


# A list, not a dictionary: settings hold mappings, which have no hash.
_results: list[tuple[object, tuple[str, str], TrialSettings, ContractVerdict]] = []


def _try(bench: Bench) -> ContractVerdict:
    if bench.kind not in DATA:
        own = inspect.getdoc(bench.thing) if callable(bench.thing) else inspect.getdoc(type(bench.thing))
        # inspect.getdoc falls back to the base class, whose docstring does not describe the plugin.
        inherited = inspect.getdoc(inspect.getmro(bench.thing)[1]) if inspect.isclass(bench.thing) else None
        bench.must("documented", bool(own) and own != inherited, "it has none")
    try_it = cast("Callable[[Bench], None]", import_module(f"s3harness.testing.kinds.{bench.kind}").try_it)
    try_it(bench)
    return _verdict(bench)


def _verdict(bench: Bench) -> ContractVerdict:
    return ContractVerdict(bench.kind, bench.name, tuple(bench.findings), tuple(bench.untried))


def broken_package(name: str, error: str) -> ContractVerdict:
    """Return the result for a package that cannot be imported."""
    return ContractVerdict("plugin", name, (BrokenPromise("plugin", name, "loads", COMMON["loads"], error),))


def named(text: str) -> list[tuple[Kind, str]]:
    """Parse ``KIND:NAME``, ``NAME`` or the name of a package into the components to try.

    Raises :class:`UsageError` for a name that nothing or several kinds are registered by, and :class:`PluginError` for
    a broken package, with its error.
    """
    registry = manager().registry
    broken = [p for p in manager().plugins if p.error and text in (p.package, p.name)]
    if broken:
        raise PluginError(f"plugin {broken[0].name!r} of package {broken[0].package!r} is broken: {broken[0].error}")
    kind, colon, name = text.partition(":")
    if colon:
        registry.entry(cast("Kind", kind), name)
        return [(cast("Kind", kind), name)]
    # A name that two packages claim is in no entry: asking for it raises the error that names both.
    claimed = [key for key in registry.clashes if key[1] == text]
    if claimed:
        registry.entry(*claimed[0])
    components = [(entry.kind, entry.name) for entry in registry.entries.values() if entry.name == text]
    if len(components) > 1:
        raise UsageError(f"{text!r} could be {' or '.join(f'{kind}:{name}' for kind, name in components)}; say which")
    of_package = [(entry.kind, entry.name) for entry in registry.entries.values() if entry.package == text]
    if not components and not of_package:
        names = [entry.name for entry in registry.entries.values()]
        near = difflib.get_close_matches(text, names, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "s3harness plugins list shows what there is"
        raise UsageError(f"nothing is registered as {text!r}; {hint}")
    # A component's name goes before a package's.
    return components or of_package
