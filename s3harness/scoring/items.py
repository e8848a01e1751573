"""``items.jsonl``: the references of a run's items, one line each, so that a run can be scored without its data set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.run.manifest import write_text
from s3harness.types import Reference

FILE = "items.jsonl"


def write_items(directory: Path, references: Iterable[Reference]) -> None:
    """Write the references in their order, each as it comes."""
    write_text(directory / FILE, (f"{json.dumps(_fields(r), ensure_ascii=False)}\n" for r in references))


def read_items(directory: Path) -> list[Reference]:
    """The references of a run directory, or :class:`UsageError` naming the line that cannot be read."""
    path = directory / FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    return [_reference(path, number, line) for number, line in enumerate(lines, start=1)]


def reference_of(line: Mapping[str, Any]) -> Reference:
    """The reference of a parsed line; ``KeyError`` or ``TypeError`` if it is none."""
    window = tuple(line["window"]) if line["window"] else None
    return Reference(**{**line, "window": window, "requests": tuple(line["requests"])})


def _fields(reference: Reference) -> dict[str, object]:
    return {field.name: getattr(reference, field.name) for field in fields(reference)}


def _reference(path: Path, number: int, line: str) -> Reference:
    try:
        return reference_of(json.loads(line))
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}:{number}: not an item: {error!r}") from error
