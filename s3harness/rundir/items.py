"""``items.jsonl``: the references of a run's items, one line each, so that a run can be scored without its data set."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json, write_text
from s3harness.types import Reference
from s3harness.value_checks import (
    Check,
    each,
    is_name,
    is_number,
    is_text,
    is_whole,
    mapping_to,
    maybe,
    one_of,
    record,
    row,
    wrong_field,
)

FILE = "items.jsonl"

_TASK = re.compile(rb'\{"item": "[\w./-]*", "task": "([\w./-]*)", ', re.ASCII)
"""The beginning of a line that this module wrote, with its task: cheaper to match than the line is to parse."""


def write_items(directory: Path, references: Iterable[Reference]) -> None:
    """Write the references, in their order, while they are computed."""
    lines = (f"{json.dumps(_fields(reference), ensure_ascii=False)}\n" for reference in references)
    # Truths and reports are those of the data set: no other user of the machine may read them.
    write_text(directory / FILE, lines, is_private=True)


@dataclass(frozen=True)
class Items:
    """The references of a run directory, or of some of its tasks; each iteration reads the file anew.

    Iterating raises :class:`UsageError` naming the line that is wrong.
    """

    directory: Path
    tasks: Collection[str] | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Task → kind of its items; the truth of these must have the form of the kind."""

    def __iter__(self) -> Iterator[Reference]:
        path = self.directory / FILE
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if self._may_hold(line) and self._holds(reference := _reference(path, number, line)):
                        self._check_truth(path, number, reference)
                        yield reference
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    def _holds(self, reference: Reference) -> bool:
        return self.tasks is None or reference.task in self.tasks

    def _check_truth(self, path: Path, number: int, reference: Reference) -> None:
        kind = self.kinds.get(reference.task, "")
        if kind in TRUTHS and not TRUTHS[kind](reference.truth):
            raise UsageError(f"{path}:{number}: the truth is not that of a {kind} item: {reference.truth!r:.80}")

    def _may_hold(self, line: bytes) -> bool:
        """Tell whether a line may be of these tasks; one in another form may be, so that it is parsed and refused."""
        match = _TASK.match(line)
        return self.tasks is None or match is None or match[1].decode() in self.tasks


def reference_of(line: Mapping[str, Any]) -> Reference:
    """Return the reference of a parsed line; ``ValueError`` if the line is none."""
    if name := wrong_field(line, _REQUIRED, _OPTIONAL) or next(
        iter(line.keys() - _REQUIRED.keys() - _OPTIONAL.keys()), ""
    ):
        raise ValueError(f"{name} is missing, unknown or malformed")
    # Interned: the same tasks, videos and subjects come in thousands of lines.
    words = {key: intern(word) for key, word in line.items() if key not in ("item", "report") and isinstance(word, str)}
    window = _window(*line["window"]) if line["window"] else None
    return Reference(**{**line, **words, "window": window, "requests": tuple(line["requests"])})


_REQUIRED = {
    **dict.fromkeys(("item", "task", "video_id", "subject"), is_name),
    "cluster": is_whole,
    "truth": lambda _: True,
    "window": maybe(row(is_number, is_number)),
    "requests": each(is_text),
}
# Runs from before reports were recorded have none.
_OPTIONAL = {"report": is_text}

_PRESENT = one_of("yes", "no", "untested")
TRUTHS: Mapping[str, Check] = {
    "feature": _PRESENT,
    "rationale": record({"present": _PRESENT, "text": is_text}),
    "laterality": is_text,
    "boundary": is_number,
    "sequence": each(row(is_text, is_number)),
    "report": record(
        {"text": is_text, "events": each(is_text), "sides": mapping_to(is_text), "untested": each(is_text)},
        {"language": is_text},
    ),
    "diagnosis": one_of("ES", "NES"),
    "seizures": record({"seizures": each(row(is_number, is_number)), "duration_s": is_number}, {"clock_s": is_number}),
}
"""Kind of item → the form of its truth (:mod:`s3harness.dataset.references`)."""


@lru_cache(maxsize=64, typed=True)
def _window(start_s: float, end_s: float) -> tuple[float, float]:
    """Return one tuple for equal windows, as most items of a video have the same."""
    return start_s, end_s


def _fields(reference: Reference) -> dict[str, object]:
    """Return the fields of a line; a report only where there is one, as most items have none."""
    line = {field.name: getattr(reference, field.name) for field in fields(reference)}
    return {name: value for name, value in line.items() if name != "report" or value}


def _reference(path: Path, number: int, line: bytes) -> Reference:
    try:
        return reference_of(parse_json(line))
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}:{number}: not an item: {error!r}") from error
