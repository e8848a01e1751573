"""The form of values in files that somebody else wrote: a table of fields, each with a check."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

Check = Callable[[object], bool]

MAX_WHOLE = 10**15
MAX_NAME = 500
"""Characters of a name; those of data sets are held to as many."""


def wrong_field(value: object, required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> str:
    """Return the first field that a mapping lacks or that has another form, ``""`` if it is as it should be."""
    if not isinstance(value, Mapping):
        return "the whole"
    for name, check in required.items():
        if name not in value or not check(value[name]):
            return name
    for name, check in (optional or {}).items():
        # An optional field may be absent; once it is there, it must be right.
        if name in value and not check(value[name]):
            return name
    return ""


def is_text(value: object) -> bool:
    """Return whether this is a text."""
    return isinstance(value, str)


def is_name(value: object) -> bool:
    """Return whether this is a text of at most :data:`MAX_NAME` characters."""
    return isinstance(value, str) and len(value) <= MAX_NAME


def is_whole(value: object) -> bool:
    """Return whether this is a whole number from 0 to :data:`MAX_WHOLE`."""
    # type and not isinstance: True is an int in Python, and no number in a file.
    return type(value) is int and 0 <= value <= MAX_WHOLE


def is_number(value: object) -> bool:
    """Return whether this is a finite number."""
    # Python's json reads NaN and Infinity, which no standard JSON has.
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def is_flag(value: object) -> bool:
    """Return whether this is true or false."""
    return isinstance(value, bool)


def is_mapping(value: object) -> bool:
    """Return whether this is a mapping."""
    return isinstance(value, Mapping)


def maybe(check: Check) -> Check:
    """Return a check that lets ``None`` pass as well."""
    return lambda value: value is None or check(value)


def one_of(*values: str) -> Check:
    """Return a check for one of some texts."""
    return lambda value: isinstance(value, str) and value in values


def each(check: Check) -> Check:
    """Return a check for a list whose parts are all of a form."""
    return lambda value: isinstance(value, list) and all(map(check, value))


def row(*checks: Check) -> Check:
    """Return a check for a list of so many parts, each of its own form."""
    return lambda value: (
        isinstance(value, list)
        and len(value) == len(checks)
        and all(check(part) for check, part in zip(checks, value, strict=True))
    )


def mapping_to(check: Check) -> Check:
    """Return a check for a mapping whose values are all of a form."""
    return lambda value: isinstance(value, Mapping) and all(map(check, value.values()))


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Return a check for a mapping with these fields; it may have others."""
    return lambda value: not wrong_field(value, required, optional)
