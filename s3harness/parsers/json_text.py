"""JSON in the text of a reply: strict, embedded in prose, or broken but mendable. Nothing here raises for any text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

MAX_MENDED_CHARS = 4_000
"""Characters that json-repair gets, which takes quadratic time; no JSON answer is as long, and strict JSON may be."""

MAX_DEPTH = 6
"""Nested brackets that are mended; answers have two or three, and json-repair recurses."""
MAX_VALUES = 50
"""Values of one text that are read; a text with more is a model repeating itself."""

_BRACKETS = {"{": "}", "[": "]"}
_BRACKET = re.compile(r"[{}\[\]]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonSpan:
    """One JSON value in a text, and its source there.

    ``is_mended`` where the source is no strict JSON, ``is_closed`` where the text holds the closing bracket.
    """

    value: object
    source: str
    is_mended: bool = False
    is_closed: bool = True


class _ContradictingKeysError(ValueError):
    pass


def strict_json(text: str) -> object | None:
    """Return the value of a text that is JSON from end to end (``None`` for anything else, ``null`` included).

    Stricter than :func:`json.loads`: no NaN, no key twice with different values.
    """
    try:
        return well_formed(_STRICT.decode(text))
    # RecursionError: a reply of ten thousand opening brackets is a text like any other.
    except (ValueError, RecursionError):
        return None


def has_contradicting_keys(text: str) -> bool:
    """Return whether a text is JSON but for an object that names one key twice, with different values."""
    try:
        json.loads(text, object_pairs_hook=_one_value_per_key)
    except _ContradictingKeysError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def embedded_json(text: str, opening: str) -> list[JsonSpan]:
    """Return the outermost values that begin with ``opening`` ("{" or "["), each strict or mended.

    Where no bracket is balanced, the text from the first one on is mended as a whole.
    """
    sources = list(islice(_balanced(text, opening), MAX_VALUES))
    is_closed = bool(sources)
    # A reply cut at the token limit has an object without an end.
    if not sources and opening in text:
        sources = [text[text.index(opening) :]]
    # The limit is on the sum: many short broken objects take as long as a single long one.
    mend = _mend if sum(map(len, sources)) <= MAX_MENDED_CHARS else _no_mend
    spans = [_strict_or_mended(source, is_closed, mend) for source in sources]
    return [span for span in spans if isinstance(span.value, dict if opening == "{" else list)]


def well_formed(value: object) -> object:
    """Return the value with lone surrogates in its strings replaced, so that it can be written as UTF-8.

    Raises ``ValueError`` for an infinite number, as ``1e999`` is read: JSON cannot hold it.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is out of range")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [well_formed(item) for item in value]
    if isinstance(value, dict):
        return {str(well_formed(key)): well_formed(item) for key, item in value.items()}
    return value


def _strict_or_mended(source: str, is_closed: bool, mend: Callable[[str], object]) -> JsonSpan:
    value = strict_json(source) if is_closed else None
    if value is not None:
        return JsonSpan(value, source)
    return JsonSpan(mend(source), source, is_mended=True, is_closed=is_closed)


def _no_mend(_source: str) -> object:
    return None


def _mend(source: str) -> object:
    # Imported here: most replies are strict JSON and never need it.
    import json_repair

    if not _is_shallow(source):
        return None
    try:
        return well_formed(json_repair.loads(source))
    except Exception:  # json-repair raises errors of many kinds; for each of them the answer is unreadable
        return None


def _is_shallow(source: str) -> bool:
    depth = 0
    for bracket in _BRACKET.findall(source):
        depth += 1 if bracket in "{[" else -1
        if depth > MAX_DEPTH:
            return False
    return True


def _balanced(text: str, opening: str) -> Iterator[str]:
    """Outermost balanced spans, in one pass; brackets inside double quotes count only outside of any bracket."""
    closing, depth, start, position = _BRACKETS[opening], 0, 0, 0
    # Outside of brackets a quotation mark may be an apostrophe or an inch sign: strings are skipped only inside.
    while match := (_TOKEN if depth else re.compile(re.escape(opening))).search(text, position):
        token, position = match.group(), match.end()
        if token == opening:
            start = start if depth else match.start()
            depth += 1
        elif token == closing:
            depth -= 1
            if depth == 0:
                yield text[start:position]


def _one_value_per_key(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result and result[key] != value:
            raise _ContradictingKeysError(key)
        result[key] = value
    return result


def _reject_constant(constant: str) -> object:
    raise ValueError(constant)


_STRICT = json.JSONDecoder(object_pairs_hook=_one_value_per_key, parse_constant=_reject_constant)
"""The decoder of strict JSON, one for all texts: creating it takes as long as reading an answer."""
