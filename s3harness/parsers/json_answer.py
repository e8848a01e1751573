"""An answer asked for as one JSON object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from s3harness.guard.answer_schema import answer_validator
from s3harness.parsers.json_text import Found, embedded_json, has_contradicting_keys, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.text import MAX_CHARS, answer_text


def json_answer(text: str, schema: Mapping[str, Any], key: str | None = None) -> Reading:
    """Read one JSON object that fits ``schema``; the value is the object, or its ``key`` where one is named.

    Clean when the whole text is such an object. Repaired when thinking, fences or prose surround it, when it had to be
    mended, when a name or an enum value differs in case or blanks alone, when a text is longer than the schema allows
    (it is cut), or when it has further fields (they are left out). Unparsable when nothing fits (the note names the
    field) or when two objects that answer the question differ: neither the first nor the last is picked.
    """
    whole = strict_json(text.strip()) if len(text) <= MAX_CHARS else None
    if isinstance(whole, dict) and _part(whole, key) is not None and _misfit(whole, schema) is None:
        return Reading.clean(_part(whole, key))
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    found = embedded_json(answer.text, "{")
    if not found:
        return Reading.unparsable("no JSON object")
    return _from_objects([_Candidate.of(one, schema) for one in found], schema, key, answer.notes)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An object of the text, written as the schema has it as far as that changes no meaning."""

    found: Found
    value: Mapping[str, Any]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, found: Found, schema: Mapping[str, Any]) -> _Candidate:
        given: Any = found.value
        folded = _fold_object(given, schema.get("properties", {}))
        fitted = _drop_and_cut(folded, schema)
        notes = (
            ("JSON mended" if found.is_mended else "", True),
            ("case or blanks folded", folded != given),
            ("fields left out or cut", fitted != folded),
        )
        return cls(found, fitted, tuple(note for note, applies in notes if note and applies))


def _from_objects(
    candidates: list[_Candidate], schema: Mapping[str, Any], key: str | None, notes: tuple[str, ...]
) -> Reading:
    asked = [key] if key else list(schema.get("required", ()))
    answering = [one for one in candidates if all(name in one.value for name in asked)]
    if not answering:
        return Reading.unparsable(f"no JSON object with {' and '.join(asked)}")
    first = answering[0]
    differ = any(_part(one.value, key) != _part(first.value, key) for one in answering)
    if differ or any(_says_two_things(one, asked, schema) for one in answering):
        return Reading.unparsable("two different answers")
    problem = _misfit(first.value, schema) or _cut_short(first, schema) or _null(first.value, key)
    if problem:
        return Reading.unparsable(problem)
    how = (*notes, *first.notes) or ("text around the JSON removed",)
    return Reading.repaired(_part(first.value, key), "; ".join(how))


def _part(value: Mapping[str, object], key: str | None) -> object:
    return value if key is None else value.get(key)


def _null(value: Mapping[str, object], key: str | None) -> str | None:
    return f"{key}: null" if _part(value, key) is None else None


def _fold_object(value: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its names and enum values written as in the schema; itself where two names would become one."""
    names = {_fold(name): name for name in properties}
    renamed = {k if k in properties else names.get(_fold(k), k): v for k, v in value.items()}
    kept = renamed if len(renamed) == len(value) else value
    return {name: _enum_value(item, properties.get(name, {})) for name, item in kept.items()}


def _enum_value(item: Any, schema: Mapping[str, Any]) -> Any:
    choices = schema.get("enum", ())
    if not isinstance(item, str) or item in choices:
        return item
    return next((c for c in choices if isinstance(c, str) and _fold(c) == _fold(item)), item)


def _fold(text: str) -> str:
    return "".join(text.casefold().split()).strip(".\"'`*")


def _drop_and_cut(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    is_closed = schema.get("additionalProperties") is False
    kept = {name: item for name, item in value.items() if name in properties or not is_closed}
    return {name: _shortened(item, properties.get(name, {}).get("maxLength")) for name, item in kept.items()}


def _shortened(item: Any, longest: int | None) -> Any:
    return item[:longest] if isinstance(item, str) and longest is not None else item


def _says_two_things(one: _Candidate, asked: list[str], schema: Mapping[str, Any]) -> bool:
    """Whether an object contradicts itself: an asked-for key twice, or a further field with another of the choices."""
    return _names_twice(one.found, asked) or _has_rival(one, schema)


def _names_twice(found: Found, asked: list[str]) -> bool:
    if not found.is_mended:
        return False
    named = (len(re.findall(rf"[{{,\"'\s]{re.escape(k)}[\"']?\s{{0,9}}:", found.source, re.IGNORECASE)) for k in asked)
    return has_contradicting_keys(found.source) or max(named, default=0) > 1


def _has_rival(one: _Candidate, schema: Mapping[str, Any]) -> bool:
    given: Any = one.found.value
    properties: Mapping[str, Any] = schema.get("properties", {})
    further = [_fold(v) for k, v in given.items() if k not in properties and k not in one.value and isinstance(v, str)]
    closed = {name: p["enum"] for name, p in properties.items() if "enum" in p and name in one.value}
    return any(
        _fold(str(choice)) in further and choice != one.value[name]
        for name, choices in closed.items()
        for choice in choices
    )


def _cut_short(one: _Candidate, schema: Mapping[str, Any]) -> str | None:
    """An unclosed object may end within a closed answer ("no" of "not visible"), and then it says nothing."""
    last = next(iter([*one.value][-1:]), "")
    is_open = not one.found.is_closed and one.found.source.rstrip()[-1:] not in {'"', "'", "}", "]", ","}
    return f"{last}: cut off" if is_open and "enum" in schema.get("properties", {}).get(last, {}) else None


def _misfit(value: Mapping[str, object], schema: Mapping[str, Any]) -> str | None:
    """What does not fit, led by the field's name, or ``None``."""
    from jsonschema.exceptions import best_match

    validator = _validator(_ById(schema))
    if validator.is_valid(value):
        return None
    error: Any = best_match(validator.iter_errors(value))
    where = ".".join(str(part) for part in error.absolute_path)
    return (f"{where}: {error.message}" if where else error.message)[:LONGEST_NOTE]


LONGEST_NOTE = 200


@dataclass(frozen=True, eq=False)
class _ById:
    """A schema that can be looked up by identity: its validator is built once, not once per answer."""

    schema: Mapping[str, Any]

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.schema is self.schema


@lru_cache(maxsize=64)
def _validator(schema: _ById) -> Any:
    return answer_validator(schema.schema)
