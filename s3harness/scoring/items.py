"""``items.jsonl``: the references of a run's items, one line each, so that a run can be scored without its data set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.run.manifest import write_text
from s3harness.types import Reference

FILE = "items.jsonl"

_TASK = re.compile(rb'\{"item": "[\w./-]*", "task": "([\w./-]*)", ', re.ASCII)
"""How a line begins that this module wrote, and whose task it is."""


def write_items(directory: Path, references: Iterable[Reference]) -> None:
    """Write the references in their order, each as it comes."""
    write_text(directory / FILE, (f"{json.dumps(_fields(r), ensure_ascii=False)}\n" for r in references))


def read_items(directory: Path, task: str = "") -> list[Reference]:
    """The references of a run directory, or of one task of it; :class:`UsageError` naming the line that is wrong."""
    path = directory / FILE
    try:
        with path.open("rb") as file:
            numbered = [(number, line) for number, line in enumerate(file, start=1) if not task or _is_of(task, line)]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    references = [_reference(path, number, line) for number, line in numbered]
    return [reference for reference in references if task in ("", reference.task)]


def reference_of(line: Mapping[str, Any]) -> Reference:
    """The reference of a parsed line; ``KeyError`` or ``TypeError`` if it is none."""
    window = tuple(line["window"]) if line["window"] else None
    return Reference(**{**line, "window": window, "requests": tuple(line["requests"])})


def _fields(reference: Reference) -> dict[str, object]:
    return {field.name: getattr(reference, field.name) for field in fields(reference)}


def _is_of(task: str, line: bytes) -> bool:
    """Whether a line is of a task; what is no line of ours is taken for one, to be complained of."""
    told = _TASK.match(line)
    return told is None or told[1].decode() == task


def _reference(path: Path, number: int, line: bytes) -> Reference:
    try:
        return reference_of(json.loads(line))
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}:{number}: not an item: {error!r}") from error
