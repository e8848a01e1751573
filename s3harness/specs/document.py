"""YAML documents that know where each of their fields stands, and their validation against a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from s3harness.errors import SpecError
from s3harness.plugins import suggest

MAX_BYTES = 1_000_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML mapping and the file it came from."""

    path: Path
    data: Mapping[str, Any]

    def error(self, where: tuple[str | int, ...], message: str) -> SpecError:
        """An error that names the file, the line and the field."""
        lines = dict(_lines(self.path))
        line = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), 1)
        name = ".".join(str(part) for part in where) or "the document"
        return SpecError(f"{self.path.name}:{line}: {name}: {message}")


def read_document(path: Path) -> Document:
    """Read a YAML mapping, or raise :class:`SpecError` naming file and line."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    if len(text) > MAX_BYTES:
        raise SpecError(f"{path.name}: {len(text)} bytes; a spec may have {MAX_BYTES}")
    try:
        _refuse_aliases(path, text)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SpecError(f"{path.name}: not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise SpecError(f"{path.name}: a mapping is expected, found {type(data).__name__}")
    return Document(path, data)


def validate(document: Document, schema: str) -> None:
    """Check a document against ``task_specs/schemas/<schema>.schema.json``.

    Raises :class:`SpecError` with file, line, field and what would be right, for the first of what is wrong.
    """
    error = min(_validator(schema).iter_errors(document.data), key=lambda e: len(e.absolute_path), default=None)
    if error is not None:
        where, message = _explain(error)
        raise document.error(where, message)


def specs_directory() -> Path:
    """The directory of the benchmark's own specs: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "task_specs"
    return inside if inside.is_dir() else package.parent / "task_specs"


@lru_cache
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    text = (specs_directory() / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _explain(error: Any) -> tuple[tuple[str | int, ...], str]:
    where = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = next(name for name in error.instance if name not in known)
        return (*where, str(unknown)), f"unknown field{suggest(str(unknown), known)}"
    if error.validator == "enum":
        return where, f"{error.instance!r} is not one of {', '.join(map(str, error.validator_value))}"
    return where, error.message


def _refuse_aliases(path: Path, text: bytes) -> None:
    """YAML aliases can make a small file expand without end, and no spec needs one."""
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(f"{path.name}:{_line(event.start_mark)}: YAML aliases are not allowed; write it out")


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _lines(path: Path) -> Iterator[tuple[tuple[str | int, ...], int]]:
    root = yaml.compose(path.read_bytes(), Loader=_Loader)
    if root is not None:
        yield from _node_lines(root, ())


def _node_lines(node: yaml.Node, where: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*where, key.value), _line(key.start_mark)
            yield from _node_lines(value, (*where, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*where, index), _line(value.start_mark)
            yield from _node_lines(value, (*where, index))
