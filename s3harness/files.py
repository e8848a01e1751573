"""Files that somebody else wrote: read within bounds, or refused with a reason."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 100
"""Lists and mappings inside each other; what walks a value later on takes a few calls for each."""
MAX_DIGITS = 300
"""Digits of a whole number; one with more cannot become a float."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; bytes may be UTF-8, UTF-16 or UTF-32.

    Raises :class:`ValueError` for what is no JSON, for nesting deeper than :data:`MAX_DEPTH` and for whole numbers of
    more than :data:`MAX_DIGITS` digits. NaN and infinities are read as :func:`json.loads` reads them.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark; save it as UTF-8 without one")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            part
            for outer in level
            for part in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(part, dict | list)
        ]
    if level:
        raise ValueError(_TOO_DEEP)


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits; at most {MAX_DIGITS} are taken")
    return int(digits)


_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
_DECODER = json.JSONDecoder(parse_int=_whole_number)
