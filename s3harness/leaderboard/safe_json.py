"""Strict reading of untrusted JSON; errors give the place and the reason."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

MAX_DEPTH = 40
"""Levels of nesting, far beyond those of a manifest with its specs."""
MAX_TEXT = 1_000_000
"""Characters of one string; answers of models are far shorter."""


def loads(data: bytes) -> Any:
    """Parse UTF-8 JSON.

    Raises :class:`ValueError` for other encodings, duplicate keys, NaN and infinities (also as 1e999), numbers of
    thousands of digits, nesting deeper than ``MAX_DEPTH``, and strings longer than ``MAX_TEXT``.
    """
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} (column {error.colno})") from None
    # The walk itself raises for depth, length and infinities.
    for _ in walk(value):
        pass
    return value


def walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every string of a JSON value with its place, including the keys of objects.

    Raises :class:`ValueError` for nesting, lengths and numbers that :func:`loads` refuses.
    """
    # A list in place of recursion, which deep nesting would exhaust.
    todo: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while todo:
        where, part = todo.pop()
        if len(where) > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(part, str):
            if len(part) > MAX_TEXT:
                raise ValueError(f"{place(where)}: {len(part)} characters; at most {MAX_TEXT} are allowed")
            yield where, part
        elif isinstance(part, dict):
            for key, inner in part.items():
                yield (*where, key), key
                todo.append(((*where, key), inner))
        elif isinstance(part, list):
            todo += (((*where, n), inner) for n, inner in enumerate(part))
        elif isinstance(part, float) and not math.isfinite(part):
            raise ValueError(f"{place(where)}: not a finite number")


def place(where: Sequence[str | int]) -> str:
    """Return a place in a document as text."""
    return ".".join(str(part)[:40] for part in where) or "the document"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    # Two readers of one file may disagree on which of two equal keys counts.
    if len(value) < len(pairs):
        raise ValueError("a key is given twice")
    return value
