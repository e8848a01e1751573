"""JSON from strangers: read strictly, or refused with the place and the reason."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

MAX_DEPTH = 40
MAX_TEXT = 1_000_000
"""Characters of one string; a model's answer is far below."""


def loads(data: bytes) -> Any:
    """Parse UTF-8 JSON; :class:`ValueError` for whatever JSON proper does not have, or nobody needs.

    That is: other encodings, keys given twice, NaN and infinities (written out or as 1e999), numbers of thousands of
    digits, nesting deeper than ``MAX_DEPTH``, strings longer than ``MAX_TEXT``.
    """
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise ValueError(f"nested more than {MAX_DEPTH} deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error.msg} (column {error.colno})") from None
    for _ in walk(value):
        pass
    return value


def walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every string of a JSON value with its place; keys of mappings count as strings where they stand.

    Raises :class:`ValueError` for what :func:`loads` refuses.
    """
    todo: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while todo:
        where, part = todo.pop()
        if len(where) > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        if isinstance(part, str):
            if len(part) > MAX_TEXT:
                raise ValueError(f"{place(where)}: {len(part)} characters; at most {MAX_TEXT} are taken")
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
    """Where in a document something stands, for people."""
    return ".".join(str(part)[:40] for part in where) or "the document"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found
