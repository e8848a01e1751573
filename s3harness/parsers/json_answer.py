"""The parser of one JSON object that fits a schema."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from s3harness.guard.answer_schema import answer_validator
from s3harness.parsers.json_text import JsonSpan, embedded_json, has_contradicting_keys, strict_json
from s3harness.parsers.key_value import MAX_DEPTH, fold_name, is_same_field
from s3harness.parsers.labels import find_outright, labels_of
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import MAX_CHARS, AnswerText, answer_text


def json_answer(text: str, schema: Mapping[str, Any], key: str | None = None) -> Reading:
    """Read one JSON object that fits ``schema``; the value is the object, or its ``key`` where one is named.

    Clean when the whole text is such an object. Repaired when thinking, fences or prose surround it, when it had to be
    mended, when a name or an enum value has another case, wording or language, when a text is longer than the schema
    allows (it is cut), or when it has further fields (they are left out).

    Where a schema requires one closed field (an enum) beside free text, the closed field is the answer: free text that
    is missing is "", several objects that agree in it are one answer with their texts joined, and a reply in words that
    gives it outright ("Yes. …", "Answer: no") counts without any JSON. Unparsable when nothing fits (the note names the
    field) or when two objects that answer the question differ: neither the first nor the last is picked.
    """
    # The common case first: an engine with structured output replies with the object and nothing else.
    whole = strict_json(text.strip()) if len(text) <= MAX_CHARS else None
    if isinstance(whole, dict) and _part(whole, key) is not None and _misfit(whole, schema) is None:
        return Reading.clean(_part(whole, key))
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    objects = _objects(answer.text)
    if objects:
        return _from_objects([_Candidate.of(one, schema) for one in objects], schema, key, answer.notes)
    return _from_words(answer, schema, key)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An object of the text, rewritten as the schema has it as far as that changes no meaning."""

    source: JsonSpan
    value: Mapping[str, Any]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, source: JsonSpan, schema: Mapping[str, Any]) -> _Candidate:
        original: Any = source.value
        inner = _inner(original, schema)
        folded = _fold_object(inner, _properties(schema))
        filled = _filled(folded, schema)
        fitted = _drop_and_cut(filled, schema)
        notes = (
            ("JSON mended" if source.is_mended else "", True),
            ("names or words folded", folded != original),
            ("without its text", filled != folded),
            ("fields left out or cut", fitted != filled),
        )
        return cls(source, fitted, tuple(note for note, applies in notes if note and applies))


def _objects(text: str) -> list[JsonSpan]:
    """The objects in a text; where it has none, those of its full-width characters written as ordinary ones."""
    # NFKC only as a last resort: it would also rewrite characters in the free text of a readable object.
    return embedded_json(text, "{") or ("｛" in text and embedded_json(unicodedata.normalize("NFKC", text), "{")) or []


def _from_objects(
    candidates: list[_Candidate], schema: Mapping[str, Any], key: str | None, notes: tuple[str, ...]
) -> Reading:
    required = [key] if key else list(schema.get("required", ()))
    # Other objects are examples or quotations of the prompt: they answer nothing and contradict nothing.
    answering = [one for one in candidates if all(name in one.value for name in required)]
    if not answering:
        return Reading.unparsable(f"no JSON object with {' and '.join(required)}")
    first, closed = answering[0], _closed_field(schema)
    compared = [key] if key else [closed] if closed else None
    differ = any(_parts(one.value, compared) != _parts(first.value, compared) for one in answering)
    if differ or any(_is_contradictory(one, required, schema) for one in answering):
        return Reading.unparsable("two different answers")
    problem = _misfit(first.value, schema) or _cut_short(first, schema) or _null(first.value, key)
    if problem:
        return Reading.unparsable(problem)
    repairs = (*notes, *first.notes) or ("text around the JSON removed",)
    value = _part(first.value, key) if key else _joined([one.value for one in answering], schema)
    return Reading.repaired(value, "; ".join(repairs))


def _from_words(answer: AnswerText, schema: Mapping[str, Any], key: str | None) -> Reading:
    """The closed field of a reply without JSON, and the words after it as the free text if the schema has one field."""
    field = _closed_field(schema)
    if field is None or key not in (None, field):
        return Reading.unparsable("no JSON object")
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    given = find_outright(answer.text, labels_of(_words(schema, field)))
    if len(given.names) != 1:
        several = ", ".join(sorted(given.names))
        return Reading.unparsable(f"two different answers: {several}" if several else "no JSON object and no answer")
    free = [name for name in schema.get("required", ()) if name != field]
    text = _LABEL.sub("", given.rest).strip()
    # With several free fields there is no saying whose text it is: all stay empty.
    value = {field: next(iter(given.names))} | {name: text if len(free) == 1 else "" for name in free}
    fitted = _drop_and_cut(value, schema)
    return Reading.repaired(_part(fitted, key), "; ".join([*answer.notes, "words without JSON"]))


_LABEL = re.compile(r"\A(?:justification|reason|explanation|because)\b[ \t:]*", re.IGNORECASE)


def _part(value: Mapping[str, object], key: str | None) -> object:
    return value if key is None else value.get(key)


def _parts(value: Mapping[str, object], names: Sequence[str] | None) -> object:
    return value if names is None else [value.get(name) for name in names]


def _joined(values: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of several objects that agree in what is closed, its free texts joined with those of the others."""
    if len(values) == 1 or _closed_field(schema) is None:
        return values[0]
    texts = {name: [str(one[name]) for one in values if name in one] for name in _free_fields(schema)}
    # dict.fromkeys: an object that a model repeats word for word adds nothing.
    joined = {name: " ".join(dict.fromkeys(text for text in parts if text)) for name, parts in texts.items() if parts}
    return _drop_and_cut({**values[0], **joined}, schema)


def _null(value: Mapping[str, object], key: str | None) -> str | None:
    return f"{key}: null" if _part(value, key) is None else None


def _closed_field(schema: Mapping[str, Any]) -> str | None:
    """The one required field that is an enum of words, where all others that are required are free text."""
    required = list(schema.get("required", ()))
    closed = [name for name in required if _words(schema, name)]
    free = _free_fields(schema)
    return closed[0] if len(closed) == 1 and all(name in free for name in required if name != closed[0]) else None


def _properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The fields of a schema; one whose schema is ``true`` or ``false`` has no bounds."""
    fields = schema.get("properties", {})
    return {name: field if isinstance(field, Mapping) else {} for name, field in fields.items()}


def _words(schema: Mapping[str, Any], name: str) -> tuple[str, ...]:
    choices = _properties(schema).get(name, {}).get("enum", ())
    return tuple(choices) if all(isinstance(choice, str) for choice in choices) else ()


def _free_fields(schema: Mapping[str, Any]) -> list[str]:
    """The text fields that any text fits, if not too long; a longest length is no bound, as text is cut to it."""
    bound = {"enum", "const", "pattern", "minLength", "format"}
    properties = _properties(schema)
    return [name for name, field in properties.items() if field.get("type") == "string" and not bound & field.keys()]


def _inner(value: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Mapping[str, Any]:
    """The object that holds the closed field, where it is the only one inside another."""
    field = _closed_field(schema)
    nested = [item for item in value.values() if isinstance(item, dict)]
    own = [item for name, item in value.items() if field and is_same_field(name, field) and not isinstance(item, dict)]
    if field is None or own or len(nested) != 1 or depth >= MAX_DEPTH:
        return value
    return _inner(nested[0], schema, depth + 1)


def _fold_object(value: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its names and enum values written as in the schema; itself where two names would become one."""
    names = {fold_name(name): name for name in properties}
    folded = {k if k in properties else names.get(fold_name(k), k): v for k, v in value.items()}
    # "Answer" beside "answer" would become one key, and one of two values would be lost in silence.
    renamed = _renamed(folded if len(folded) == len(value) else dict(value), properties)
    return {name: _enum_value(item, properties.get(name, {})) for name, item in renamed.items()}


def _renamed(value: dict[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a missing field taken from the only further field whose name means the same."""
    new_names: dict[str, str] = {}
    for name in (name for name in properties if name not in value):
        others = [other for other in value if other not in properties and is_same_field(other, name)]
        if len(others) == 1:
            # setdefault: "reason" is a synonym of two fields and can stand for one of them alone.
            new_names.setdefault(others[0], name)
    return {new_names.get(name, name): item for name, item in value.items()}


def _filled(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The object with "" for required free text that is missing or null, if it has the closed field."""
    field = _closed_field(schema)
    if field is None or field not in value:
        return dict(value)
    lacking = [n for n in _free_fields(schema) if n in schema.get("required", ()) and value.get(n) is None]
    return {**value, **dict.fromkeys(lacking, "")}


def _enum_value(item: Any, schema: Mapping[str, Any]) -> Any:
    """A value as one of the choices: another case, another language, a sentence that opens with it, a truth value."""
    choices = schema.get("enum", ())
    if isinstance(item, list) and len(item) == 1:
        item = item[0] if choices else item
    # Models also write true for yes, which JSON Schema would refuse as no string.
    if isinstance(item, bool) and {"yes", "no"} <= set(choices):
        return "yes" if item else "no"
    if not isinstance(item, str) or item in choices:
        return item
    folded = next((c for c in choices if isinstance(c, str) and _fold(c) == _fold(item)), None)
    if folded is not None or not choices or not all(isinstance(c, str) for c in choices):
        return item if folded is None else folded
    given = find_outright(item, labels_of(tuple(choices)))
    return next(iter(given.names)) if len(given.names) == 1 else item


def _fold(text: str) -> str:
    return "".join(text.casefold().split()).strip(".\"'`*")


def _drop_and_cut(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The object without fields that the schema forbids, its texts cut to the longest length that the schema allows."""
    properties = _properties(schema)
    is_closed = schema.get("additionalProperties") is False
    allowed = {name: item for name, item in value.items() if name in properties or not is_closed}
    return {name: _shortened(item, properties.get(name, {}).get("maxLength")) for name, item in allowed.items()}


def _shortened(item: Any, longest: int | None) -> Any:
    return item[:longest] if isinstance(item, str) and longest is not None else item


def _is_contradictory(one: _Candidate, required: list[str], schema: Mapping[str, Any]) -> bool:
    """Return whether an object has a required key twice, or a further field with another of the choices."""
    return _has_repeated_key(one.source, required) or _has_rival(one, schema)


def _has_repeated_key(source: JsonSpan, required: list[str]) -> bool:
    # Strict JSON has no key with two values; json-repair keeps one of them in silence.
    if not source.is_mended:
        return False
    counts = (
        len(re.findall(rf"[{{,\"'\s]{re.escape(k)}[\"']?\s{{0,9}}:", source.source, re.IGNORECASE)) for k in required
    )
    return has_contradicting_keys(source.source) or max(counts, default=0) > 1


def _has_rival(one: _Candidate, schema: Mapping[str, Any]) -> bool:
    """Return whether a field that the schema lacks holds another choice of a closed field: "final": "no"."""
    original: Any = one.source.value
    properties = _properties(schema)
    further = [
        _fold(v) for k, v in original.items() if k not in properties and k not in one.value and isinstance(v, str)
    ]
    closed = {name: p["enum"] for name, p in properties.items() if "enum" in p and name in one.value}
    return any(
        _fold(str(choice)) in further and choice != one.value[name]
        for name, choices in closed.items()
        for choice in choices
    )


def _cut_short(one: _Candidate, schema: Mapping[str, Any]) -> str | None:
    """The problem of an unclosed object that ends within a closed answer ("no" of "not visible"), or ``None``."""
    original: Any = one.source.value
    last = next(iter([*original][-1:]), "")
    is_open = not one.source.is_closed and one.source.source.rstrip()[-1:] not in {'"', "'", "}", "]", ","}
    is_closed_field = any("enum" in p and fold_name(last) == fold_name(n) for n, p in _properties(schema).items())
    return f"{last}: cut off" if is_open and is_closed_field else None


def _misfit(value: Mapping[str, object], schema: Mapping[str, Any]) -> str | None:
    """The first misfit of a value and its schema, led by the field's name, or ``None``."""
    # Imported here: jsonschema takes long to import, and commands that score nothing do not need it.
    from jsonschema.exceptions import best_match

    validator = _validator(_ById(schema))
    if validator.is_valid(value):
        return None
    error: Any = best_match(validator.iter_errors(value))
    where = ".".join(str(part) for part in error.absolute_path)
    return (f"{where}: {error.message}" if where else error.message)[:LONGEST_NOTE]


LONGEST_NOTE = 200
"""Characters of a note; jsonschema quotes the whole offending value, which a model made."""


@dataclass(frozen=True, eq=False)
class _ById:
    """A schema as a cache key, by identity: its validator is built once, not once per answer."""

    schema: Mapping[str, Any]

    # The key holds the schema, so that its id stays valid for as long as the entry lives.
    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.schema is self.schema


@lru_cache(maxsize=64)
def _validator(schema: _ById) -> Any:
    return answer_validator(schema.schema)
