"""YAML documents with the line of each field, and their validation against a JSON Schema."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3harness.errors import SpecError, suggest
from s3harness.package_data import specs_directory

if TYPE_CHECKING:
    import yaml

__all__ = ["Document", "Place", "read_document", "specs_directory", "validate"]

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_PROBLEMS = 50
"""Problems reported of one spec at most; a list longer than a screen is not read."""
MAX_ERRORS = 500
"""Errors of the schema that are collected; lists are measured before their entries, so a bound is always among them."""
LIMITS = ("maxItems", "maxProperties")
SHOWN_CHARACTERS = 80
TEXT = "tag:yaml.org,2002:str"
MEANT = "did you mean "

Place = tuple[str | int, ...]
"""Keys and indices from the top of a document."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML mapping and the file it came from."""

    path: Path
    data: Mapping[str, Any]

    def error(self, where: Place, message: str) -> SpecError:
        """Return an error that names the file, the line and the field."""
        name = ".".join(str(part) for part in where) or "the document"
        return SpecError(f"{self.path.name}:{self.line(where)}: {name}: {message}")

    def line(self, where: Place) -> int:
        """Return the line of a field, or of the nearest field around it that is written in the file."""
        # Parsed once more, for an error alone: a loaded document keeps no marks.
        marks = _marks(self.path.read_bytes())
        return next((_line(marks[where[:n]].start_mark) for n in range(len(where), 0, -1) if where[:n] in marks), 1)


def read_document(path: Path) -> Document:
    """Read a YAML mapping, or raise :class:`SpecError` naming file and line.

    Nothing but mappings with text keys, lists, text, numbers, truth values and null is taken, and no key twice.
    """
    import yaml

    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    # Before parsing: PyYAML builds objects many times the size of the text.
    if len(text) > MAX_BYTES:
        raise SpecError(f"{path.name}: {len(text)} bytes; at most {MAX_BYTES} are allowed")
    try:
        data = _parsed(path, text)
    except yaml.MarkedYAMLError as error:
        line = f":{_line(error.problem_mark)}" if error.problem_mark else ""
        raise SpecError(f"{path.name}{line}: not valid YAML: {error.problem or error.context}") from error
    # PyYAML passes on errors of its constructors, such as a ValueError of the date 2024-99-99.
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SpecError(f"{path.name}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        kind = "nothing" if data is None else type(data).__name__
        raise SpecError(f"{path.name}:1: a mapping of fields is expected, not {kind}")
    return Document(path, data)


def yaml_text(data: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, in the order of its fields."""
    import yaml

    return str(yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=110))


def validate(document: Document, schema: str) -> None:
    """Check a document against ``task_specs/schemas/<schema>.schema.json``.

    Raises :class:`SpecError` with file, line, field and what would be right, for the first of what is wrong.
    """
    problems = schema_problems(document, schema)
    if problems:
        raise problems[0]


def schema_problems(document: Document, schema: str) -> list[SpecError]:
    """Return all errors of a document against a schema, the most telling first."""
    errors = _errors(document.data, schema)
    explained = dict.fromkeys(islice((problem for error in errors for problem in _explained(error)), MAX_PROBLEMS))
    # A misspelled field is one mistake: not also the absence of the field that was meant.
    implied = {f"{text.rpartition(MEANT)[2].removesuffix('?')} must be given" for _, text in explained if MEANT in text}
    return [document.error(where, text) for where, text in explained if text not in implied]


def form_problem(data: object, schema: str) -> str:
    """Return place and text of the first schema error of a value that stands in no file, ``""`` if there is none."""
    errors = _errors(data, schema)
    where, message = next(_explained(errors[0])) if errors else ((), "")
    return f"{'.'.join(map(str, where)) or 'the document'}: {message}" if errors else ""


def exceeds_limits(document: Document, schema: str) -> bool:
    """Return whether a document has more entries somewhere than its schema takes: trying them all would cost."""
    return any(error.validator in LIMITS for error in _errors(document.data, schema))


def _errors(data: object, schema: str) -> list[Any]:
    # Cut off before sorting: a hostile document has millions of errors.
    return sorted(islice(_validator(schema).iter_errors(data), MAX_ERRORS), key=_rank)


def _explained(error: Any) -> Iterator[tuple[Place, str]]:
    """Yield place and text of a JSON Schema error, one for each unknown field."""
    if error.validator == "additionalProperties" and "propertyNames" not in error.absolute_schema_path:
        known = sorted(error.schema.get("properties", {}))
        # jsonschema reports all unknown fields as one error; each has a line of its own.
        for unknown in (name for name in error.instance if name not in known):
            yield (*error.absolute_path, unknown), f"unknown field{suggest(unknown, known)}"
    else:
        yield _explain(error)


def _rank(error: Any) -> tuple[int, bool]:
    """Sort key of an error: outer before inner, an unknown field before a missing one."""
    return len(error.absolute_path), error.validator == "required"


@lru_cache(maxsize=4)
def _marks(text: bytes) -> Mapping[Place, Any]:
    """Return the node of each place: kept, as a document with one error often has many."""
    return dict(_places(_node(text), ()))


@lru_cache
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    text = (specs_directory() / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _explain(error: Any) -> tuple[Place, str]:
    """Return the place of a JSON Schema error, and what would be right there."""
    where = tuple(error.absolute_path)
    if error.validator in ("oneOf", "anyOf"):
        return _explain_choice(error)
    if "propertyNames" in error.absolute_schema_path:
        known = error.validator_value if error.validator == "enum" else ()
        right = f"unknown field{suggest(error.instance, known)}" if known else "does not go with the other fields"
        return (*where, error.instance), right
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = next(name for name in error.instance if name not in known)
        return (*where, unknown), f"unknown field{suggest(unknown, known)}"
    return where, _explain_value(error)


def _explain_value(error: Any) -> str:
    wanted, shown = error.validator_value, _shown(error.instance)
    if error.validator in _EXPLAINED:
        return _EXPLAINED[error.validator](wanted, error.instance)
    # jsonschema quotes the whole value, however long.
    return str(error.message).replace(repr(error.instance), shown)


def _explain_choice(error: Any) -> tuple[Place, str]:
    """Return the error in the nearest of several forms that a value may have."""
    depth = len(error.absolute_path)
    # The forms of another type are no near miss: a mapping is judged as a mapping.
    of_type = [e for e in error.context if e.validator != "type" or len(e.absolute_path) > depth]
    if of_type:
        return _explain(of_type[0])
    kinds = " or ".join(str(e.validator_value) for e in error.context)
    return tuple(error.absolute_path), f"{_shown(error.instance)} is no {kinds}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


_EXPLAINED: Mapping[str, Callable[[Any, Any], str]] = {
    "enum": lambda wanted, value: f"{_shown(value)} is not one of {', '.join(map(str, wanted))}",
    "const": lambda wanted, value: f"{_shown(value)} is not {wanted!r}",
    "type": lambda wanted, value: f"{_shown(value)} is no {wanted if isinstance(wanted, str) else ' or '.join(wanted)}",
    "required": lambda wanted, value: f"{', '.join(n for n in wanted if n not in value)} must be given",
    "maxItems": lambda wanted, value: f"has {len(value)} entries; at most {wanted} are taken",
    "maxProperties": lambda wanted, value: f"has {len(value)} entries; at most {wanted} are taken",
    "not": lambda wanted, _: f"{' and '.join(wanted['required'])} exclude each other; give one",
}


def _parsed(path: Path, text: bytes) -> Any:
    # In the events of the parser, before any tree is built.
    _refuse_bombs(path, text)
    node = _node(text)
    if node is None:
        return None
    _refuse_odd_keys(path, node)
    # Built from the node that was checked, without parsing the text once more.
    loader = _loader()(b"")
    try:
        data = loader.construct_document(node)
    finally:
        loader.dispose()
    _refuse_foreign(Document(path, {}), data, ())
    return data


def _refuse_bombs(path: Path, text: bytes) -> None:
    """Raise :class:`SpecError` for aliases and deep nesting, which no spec needs."""
    import yaml

    # Aliases make a small file expand exponentially ("billion laughs"); deep nesting overflows the constructor's stack.

    depth = 0
    for event in _events(path, text):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise SpecError(f"{path.name}:{_line(event.start_mark)}: YAML aliases are not allowed; write it out")
        if depth > MAX_DEPTH:
            raise SpecError(f"{path.name}:{_line(event.start_mark)}: nested more than {MAX_DEPTH} deep")


def _events(path: Path, text: bytes) -> Iterator[Any]:
    """Yield the events of the parser."""
    import yaml

    try:
        yield from yaml.parse(text, Loader=_loader())
    except yaml.YAMLError as error:
        # Newer versions of libyaml refuse deep nesting by themselves, while they scan ahead of the count below.
        if "nesting depth" in str(error):
            raise SpecError(f"{path.name}:1: nested more than {MAX_DEPTH} deep") from None
        raise


def _refuse_odd_keys(path: Path, node: yaml.Node) -> None:
    """Raise :class:`SpecError` for a key that is no text and for one that is given twice."""
    # PyYAML reads the key ``yes`` as true (YAML 1.1), and keeps the last of two equal keys, both without a word.
    seen: dict[Place, int] = {}
    for where, key in _places(node, ()):
        name = ".".join(map(str, where))
        if isinstance(where[-1], str) and key.tag != TEXT:
            kind = key.tag.rpartition(":")[2]
            raise SpecError(f"{path.name}:{_line(key.start_mark)}: {name}: is read as {kind}; put it in quotes")
        if where in seen:
            raise SpecError(f"{path.name}:{_line(key.start_mark)}: {name}: is given twice, first in line {seen[where]}")
        seen[where] = _line(key.start_mark)


def _refuse_foreign(document: Document, value: object, where: Place) -> None:
    """Raise :class:`SpecError` for dates, sets, binary data, NaN and infinities."""
    # Specs are hashed as JSON, which has none of them.
    if isinstance(value, dict):
        for key, part in value.items():
            _refuse_foreign(document, part, (*where, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _refuse_foreign(document, part, (*where, index))
    elif not isinstance(value, str | int | None) and not (isinstance(value, float) and math.isfinite(value)):
        # YAML reads 2024-01-01 as a date, and .inf as a number.
        raise document.error(where, f"{value!r} is read as {type(value).__name__}; put it in quotes or write a number")


def _loader() -> Any:
    import yaml

    # Some builds of PyYAML lack libyaml, which is many times faster.
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _node(text: bytes) -> Any:
    import yaml

    return yaml.compose(text, Loader=_loader())


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _places(node: Any, where: Place) -> Iterator[tuple[Place, yaml.Node]]:
    """Yield every place of a document with the node that marks it: a key, or an item of a list."""
    if node.id == "mapping":
        for key, value in node.value:
            # A key may be a list or a mapping in YAML; it is refused, and needs a place until then.
            place = (*where, key.value if isinstance(key.value, str) else "?")
            yield place, key
            yield from _places(value, place)
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            yield (*where, index), value
            yield from _places(value, (*where, index))
