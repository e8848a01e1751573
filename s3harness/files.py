"""Files that somebody else wrote: read within bounds, or refused with a reason."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 100
"""Lists and mappings inside each other; what walks a value later on takes a few calls for each."""
MAX_DIGITS = 300
"""Digits of a whole number; one with more cannot become a float."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text; bytes may be UTF-8, UTF-16 or UTF-32.

    Raises :class:`ValueError` for what is no JSON, for nesting deeper than :data:`MAX_DEPTH` and for whole numbers of
    more than :data:`MAX_DIGITS` digits. NaN and infinities are read as :func:`json.loads` reads them. An escaped half
    of a surrogate pair, which no file can hold as UTF-8, becomes a question mark.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark; save it as UTF-8 without one")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check_depth(value)
    return _without_surrogates(value) if _SURROGATE.search(text) else value


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


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(part) for part in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(part) for key, part in value.items()}
    return value


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits; at most {MAX_DIGITS} are taken")
    return int(digits)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"
_DECODER = json.JSONDecoder(parse_int=_whole_number)
