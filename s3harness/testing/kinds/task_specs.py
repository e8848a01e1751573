"""Promises of a directory of task specs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s3harness.specs.loading import read_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import PROTOCOLS, resolve
from s3harness.testing.golden import golden_plan, golden_requests
from s3harness.testing.trial import Bench

PROMISES: Mapping[str, str] = {
    "form": "it is the path of a directory with tasks/*.yaml, or a function that returns it",
    "right": "every spec is valid (s3harness tasks validate)",
    "names": "no task has the name of another, or of the benchmark's own",
    "answers": "it makes requests about an annotated video, or uses another task's answers",
}


def try_it(bench: Bench) -> None:
    """Read every spec, and plan its requests about the golden videos."""
    paths: list[Path] = []
    with bench.trying("form"):
        folder = Path(str(bench.thing() if callable(bench.thing) else bench.thing))
        paths = sorted((folder / "tasks").glob("*.yaml"))
        bench.must("form", bool(paths), "there is no tasks/*.yaml in it")
    named: dict[str, str] = {}
    for path in paths:
        with bench.trying("right", path.name):
            data = read_task(path).data
            _look_at_name(bench, str(data["name"]), path, named)
            _plan(bench, data, path)


def _look_at_name(bench: Bench, name: str, path: Path, named: dict[str, str]) -> None:
    from s3harness.specs.catalogue import catalogue

    # By path as well: the benchmark's own directory is a component that is checked, too.
    is_own = name in catalogue().own and catalogue().documents[name].path != path
    bench.must("names", not is_own, f"{path.name}: {name} is one of the benchmark's own")
    bench.must("names", name not in named, f"{path.name}: {name} is also in {named.get(name)}")
    named[name] = path.name


def _plan(bench: Bench, data: Mapping[str, Any], path: Path) -> None:
    # A task that uses another's answers sends no request of its own.
    if "uses" in data:
        return
    from dataclasses import replace

    card = ModelCard("golden", modalities=("video", "audio"))
    whole = golden_plan(card)
    # A spec may have overrides for a protocol, which only that one shows.
    for protocol in PROTOCOLS:
        spec = resolve(data, protocol=protocol, profile="strict", model=card)
        requests = golden_requests(replace(whole, scored=(spec,), requested=(spec,)))
        bench.must("answers", bool(requests), f"{path.name}: no request about two annotated videos ({protocol})")
