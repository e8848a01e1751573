"""Other wordings of the benchmark's prompts, from ``task_specs/wordings.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from s3harness.specs.document import read_document, specs_directory
from s3harness.specs.loading import known_tasks, load_task
from s3harness.specs.tasks import TaskSpec

FILE = "wordings.yaml"


def worded(spec: TaskSpec, wording: str) -> TaskSpec | None:
    """Return a task in another wording; ``None`` if there is none.

    There is none for a prompt that a protocol replaces for a model family, since its form of answer may differ.
    """
    other = wordings().get(wording, {}).get(spec.name)
    if other is None or _prompts(spec.data) != _prompts(_own(spec.name)):
        return None
    subjects = dict(spec.data.get("subjects", {}))
    for name, prompts in other.get("subjects", {}).items():
        subjects[name] = {**subjects.get(name, {}), **prompts}
    return TaskSpec({**spec.data, "prompt": other["prompt"], **({"subjects": subjects} if subjects else {})})


# Parsed once: it is asked for by every task of a run with a probe.
@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Mapping[str, Any]]:
    """Return wording → task → its ``prompt``, and the prompts of subjects that have their own."""
    return dict(read_document(specs_directory() / FILE).data["wordings"])


def _own(name: str) -> Mapping[str, Any]:
    # A spec from a file need not be registered.
    return load_task(name).data if name in known_tasks() else {}


def _prompts(data: Mapping[str, Any]) -> dict[str, object]:
    """Return the prompts of a spec by subject; the task's own under the empty name."""
    of_subjects = {name: entry["prompt"] for name, entry in data.get("subjects", {}).items() if "prompt" in entry}
    return {"": data.get("prompt"), **of_subjects}
