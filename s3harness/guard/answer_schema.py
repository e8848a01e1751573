"""JSON Schemas of strangers, validated without a network, without files, and with patterns in linear time.

A schema comes with a task spec, a model card or the manifest of somebody's run. It may refer to its own parts alone,
it may not grow without end when those references are followed, and its patterns run on RE2, in linear time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

MAX_DEPTH = 40
MAX_SIZE = 10_000
"""Places of a schema with its references followed; the benchmark's largest has 40."""
MAX_PATTERN = 1_000
REFUSED = frozenset(
    {"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"}
)
"""Keywords that give a place another address, so that a reference could not be followed by reading."""

Place = tuple[str | int, ...]


class SchemaRefusedError(ValueError):
    """Raised for a schema that is not used; ``place`` leads to the part that is the ``reason``."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(f"{'.'.join(map(str, place)) or 'the schema'}: {reason}")
        self.place, self.reason = place, reason


def check_answer_schema(schema: object) -> None:
    """Raise :class:`SchemaRefusedError` unless a schema is one, and opens nothing and costs little when used."""
    from jsonschema import Draft202012Validator, SchemaError

    # In this order: the depth is bounded before anything recurses, and the size before the meta-schema is applied.
    parts = dict(_places(schema, ()))
    _size_of(schema, (), schema, {}, ())
    for place, value in parts.items():
        _check_keyword(place, value)
    try:
        Draft202012Validator.check_schema(schema)  # type: ignore[arg-type]
    except SchemaError as error:
        raise SchemaRefusedError(tuple(error.absolute_path), f"not a JSON Schema: {error.message}") from error


def answer_validator(schema: Mapping[str, Any]) -> Any:
    """Return a validator of a schema: references resolve within it or fail, patterns run in linear time."""
    from referencing import Registry

    # An empty registry: jsonschema 4.x otherwise fetches what a reference names, from the network or the disk.
    return _validator_class()(schema, registry=Registry())


def _places(value: object, where: Place) -> Iterator[tuple[Place, object]]:
    """Yield every place of a schema with its value; :class:`SchemaRefusedError` where it is nested too deep."""
    if len(where) > MAX_DEPTH:
        raise SchemaRefusedError(where[:3], f"nested more than {MAX_DEPTH} deep")
    yield where, value
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _places(part, (*where, str(key)))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _places(part, (*where, index))


def _check_keyword(place: Place, value: object) -> None:
    # A property may be called "pattern" or "$id": what stands under "properties" is a name and no keyword.
    keyword, is_name = (place[-1] if place else ""), len(place) > 1 and place[-2] in ("properties", "$defs")
    if is_name:
        return
    if keyword in REFUSED:
        raise SchemaRefusedError(place, f"{keyword} is not supported; refer to parts as #/$defs/NAME")
    if keyword == "pattern":
        _compiled(place, value)
    if keyword == "patternProperties" and isinstance(value, Mapping):
        for pattern in value:
            _compiled((*place, pattern), pattern)


def _compiled(place: Place, pattern: object) -> None:
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise SchemaRefusedError(place, f"a pattern is a text of at most {MAX_PATTERN} characters")
    try:
        linear_pattern(pattern)
    except ValueError as error:
        raise SchemaRefusedError(place, str(error)) from error


@lru_cache(maxsize=256)
def linear_pattern(pattern: str) -> Any:
    """Return a pattern compiled by RE2; :class:`ValueError` for one it lacks, such as look-around."""
    import re2

    options = re2.Options()
    # RE2 writes a refused pattern to stderr by default, past every handler of Python.
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        # The message is bytes in google-re2 1.1.
        reason = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"this pattern cannot run in linear time: {reason}") from error


def _size_of(root: object, where: Place, value: object, sizes: dict[str, int], open_refs: tuple[str, ...]) -> int:
    """Count the places of a part with its references followed; a circle and a size beyond the bound are refused."""
    size = 1
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        if reference is not None and not (where and where[-1] in ("properties", "$defs")):
            size += _size_of_reference(root, (*where, "$ref"), reference, sizes, open_refs)
        size += sum(_size_of(root, (*where, str(k)), part, sizes, open_refs) for k, part in value.items())
    elif isinstance(value, list):
        size += sum(_size_of(root, (*where, n), part, sizes, open_refs) for n, part in enumerate(value))
    if size > MAX_SIZE:
        raise SchemaRefusedError(where, f"has more than {MAX_SIZE} places when its references are followed")
    return size


def _size_of_reference(
    root: object, where: Place, reference: object, sizes: dict[str, int], open_refs: tuple[str, ...]
) -> int:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        raise SchemaRefusedError(
            where, f"{reference!r:.80} is not supported; only parts of this schema are: #/$defs/NAME"
        )
    if reference in open_refs:
        raise SchemaRefusedError(where, f"{reference!r:.80} refers to itself")
    # Counted once for each reference: the doubling parts of a small schema have 2^40 places when followed.
    if reference not in sizes:
        sizes[reference] = _size_of(root, where, _part(root, where, reference), sizes, (*open_refs, reference))
    return sizes[reference]


def _part(root: object, where: Place, reference: str) -> object:
    """Return the part of a schema that a local JSON Pointer (RFC 6901) names."""
    part = root
    for token in reference[2:].split("/"):
        # In this order, as RFC 6901 says: "~01" is "~1", and no slash.
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(part, Mapping) and key in part:
            part = part[key]
        elif isinstance(part, list) and key.isdecimal() and int(key) < len(part):
            part = part[int(key)]
        else:
            raise SchemaRefusedError(where, f"{reference!r:.80} is not a part of this schema")
    return part


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, ValidationError, validators

    def pattern(validator: Any, wanted: str, instance: object, schema: object) -> Iterator[Any]:
        if isinstance(instance, str) and not linear_pattern(wanted).search(instance):
            yield ValidationError(f"{instance!r} does not match {wanted!r}")

    def pattern_properties(validator: Any, wanted: Mapping[str, Any], instance: Any, schema: object) -> Iterator[Any]:
        for name, subschema in wanted.items() if isinstance(instance, Mapping) else ():
            for key in (key for key in instance if linear_pattern(name).search(key)):
                yield from validator.descend(instance[key], subschema, path=key, schema_path=name)

    # Both keywords of patterns are replaced: jsonschema runs them by Python's re, which backtracks for ever.
    extend: Any = validators.extend
    return extend(Draft202012Validator, {"pattern": pattern, "patternProperties": pattern_properties})
