"""The contract of each kind of plugin, as a test: what ``s3harness plugins check`` runs, and what a plugin's tests run.

::

    import pytest
    from s3harness.testing import check, promises

    @pytest.mark.parametrize("promise", promises("sampler"))
    def test_my_sampler_keeps(promise):
        check("sampler", "my_sampler", promise)

Each thing is tried once, whatever the number of its promises. The plugin runs in this process, so a crash of compiled
code ends it; the command has a process for each.
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
from s3harness.testing.trial import COMMON, LIMIT_S, Bench, Finding, Settings

DATA: frozenset[Kind] = frozenset({"model", "task_specs"})
"""Kinds whose target is a path, which has no docstring."""


class BrokenContract(AssertionError):
    """A plugin breaks promises of its kind; the message names each."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of trying one thing: the promises that it broke, and what could not be tried and why."""

    kind: str
    name: str
    findings: tuple[Finding, ...]
    untried: tuple[str, ...] = ()


def promises(kind: str) -> list[str]:
    """The names of the promises of a kind, those of every kind first."""
    return list(promises_of(kind))


def promises_of(kind: str) -> Mapping[str, str]:
    """Promise → what it says, of a kind; :class:`UsageError` for no kind."""
    if kind not in get_args(Kind):
        raise UsageError(f"there is no kind {kind!r} of plugins{suggest(kind, KINDS)}")
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
    """Raise :class:`BrokenContract` if what is registered by this name breaks the ``promise``, any if empty.

    What the others mean :class:`~s3harness.testing.trial.Settings` says. :class:`UsageError` for an unknown kind, name
    or promise.
    """
    known = promises_of(kind)
    if promise and promise not in known:
        raise UsageError(f"a {kind} has no promise {promise!r}{suggest(promise, list(known))}")
    settings = Settings(options or {}, item, model, allow_remote, limit_s)
    broken = [found for found in verdict(kind, name, settings).findings if promise in ("", found.promise)]
    if broken:
        raise BrokenContract("\n".join(map(str, broken)))


def verdict(kind: Kind, name: str, settings: Settings | None = None) -> Verdict:
    """Try what is registered by a name; once in a process for the same settings."""
    settings, plugins = settings or Settings(), manager()
    for known, thing, tried_with, found in _tried:
        if (thing, tried_with) == ((kind, name), settings) and known is plugins:
            return found
    plugins.registry.entry(kind, name)
    bench = Bench(kind, name, None, settings, promises_of(kind))
    with bench.trying("loads"):
        bench.thing = plugins.registry.load(kind, name)
    found = _verdict(bench) if bench.thing is None else _try(bench)
    _tried.append((plugins, (kind, name), settings, found))
    return found


def try_object(kind: Kind, thing: object, settings: Settings | None = None) -> Verdict:
    """Try an object that is registered by no name."""
    name = getattr(thing, "__name__", type(thing).__name__)
    return _try(Bench(kind, name, thing, settings or Settings(), promises_of(kind)))


_tried: list[tuple[object, tuple[str, str], Settings, Verdict]] = []


def _try(bench: Bench) -> Verdict:
    if bench.kind not in DATA:
        own = inspect.getdoc(bench.thing) if callable(bench.thing) else inspect.getdoc(type(bench.thing))
        inherited = inspect.getdoc(inspect.getmro(bench.thing)[1]) if inspect.isclass(bench.thing) else None
        bench.must("documented", bool(own) and own != inherited, "it has none")
    try_it = cast("Callable[[Bench], None]", import_module(f"s3harness.testing.kinds.{bench.kind}").try_it)
    try_it(bench)
    return _verdict(bench)


def _verdict(bench: Bench) -> Verdict:
    return Verdict(bench.kind, bench.name, tuple(bench.findings), tuple(bench.untried))


def broken_package(name: str, error: str) -> Verdict:
    """The verdict on a package that cannot be used."""
    return Verdict("plugin", name, (Finding("plugin", name, "loads", COMMON["loads"], error),))


def named(text: str) -> list[tuple[Kind, str]]:
    """``KIND:NAME``, ``NAME`` or the name of a package → what is to be tried.

    Raises :class:`UsageError` for what is registered by no name, or by several kinds, and :class:`PluginError` for a
    package that is broken, with its error.
    """
    registry = manager().registry
    broken = [p for p in manager().plugins if p.error and text in (p.package, p.name)]
    if broken:
        raise PluginError(f"plugin {broken[0].name!r} of package {broken[0].package!r} is broken: {broken[0].error}")
    kind, colon, name = text.partition(":")
    if colon:
        registry.entry(cast("Kind", kind), name)
        return [(cast("Kind", kind), name)]
    claimed = [key for key in registry.clashes if key[1] == text]
    if claimed:
        registry.entry(*claimed[0])
    found = [(entry.kind, entry.name) for entry in registry.entries.values() if entry.name == text]
    if len(found) > 1:
        raise UsageError(f"{text!r} could be {' or '.join(f'{kind}:{name}' for kind, name in found)}; say which")
    of_package = [(entry.kind, entry.name) for entry in registry.entries.values() if entry.package == text]
    if not found and not of_package:
        known = [entry.name for entry in registry.entries.values()]
        near = difflib.get_close_matches(text, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "s3harness plugins list shows what there is"
        raise UsageError(f"nothing is registered as {text!r}; {hint}")
    return found or of_package
