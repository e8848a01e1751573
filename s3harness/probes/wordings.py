"""The benchmark's prompts in other words: ``task_specs/wordings.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from s3harness.specs.document import read_document, specs_directory
from s3harness.specs.loading import known_tasks, load_task
from s3harness.specs.tasks import TaskSpec

FILE = "wordings.yaml"


def worded(spec: TaskSpec, wording: str) -> TaskSpec | None:
    """A task asked in another wording; ``None`` if it has none.

    A protocol may have a model family asked otherwise, with another form of answer: for such a prompt there is none.
    """
    other = wordings().get(wording, {}).get(spec.name)
    if other is None or _prompts(spec.data) != _prompts(_own(spec.name)):
        return None
    subjects = dict(spec.data.get("subjects", {}))
    for name, said in other.get("subjects", {}).items():
        subjects[name] = {**subjects.get(name, {}), **said}
    return TaskSpec({**spec.data, "prompt": other["prompt"], **({"subjects": subjects} if subjects else {})})


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Mapping[str, Any]]:
    """Wording → task → its ``prompt``, and that of subjects that have one of their own."""
    return dict(read_document(specs_directory() / FILE).data["wordings"])


def _own(name: str) -> Mapping[str, Any]:
    return load_task(name).data if name in known_tasks() else {}


def _prompts(data: Mapping[str, Any]) -> dict[str, object]:
    """The prompts of a spec, by subject; the task's own under an empty name."""
    of_subjects = {name: said["prompt"] for name, said in data.get("subjects", {}).items() if "prompt" in said}
    return {"": data.get("prompt"), **of_subjects}
