"""JSON in what a model wrote: strict, embedded in prose, or broken but mendable. Nothing here raises for any text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

MAX_MENDED_CHARS = 4_000
"""Mending takes quadratic time; an answer asked for as JSON is shorter, and a longer one may still be strict."""

MAX_DEPTH = 6
MAX_VALUES = 50
"""Values of one text that are looked at; a text with more is a model repeating itself."""

_BRACKETS = {"{": "}", "[": "]"}
_BRACKET = re.compile(r"[{}\[\]]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """One JSON value in a text. ``is_mended`` where strict JSON it was not, ``is_closed`` where its end was reached."""

    value: object
    source: str
    is_mended: bool = False
    is_closed: bool = True


class _ContradictingKeysError(ValueError):
    pass


def strict_json(text: str) -> object | None:
    """The value of a text that is JSON from end to end (``None`` for anything else, JSON's own ``null`` included).

    Stricter than :func:`json.loads`: no NaN, no key twice with different values.
    """
    try:
        return well_formed(_STRICT.decode(text))
    except (ValueError, RecursionError):
        return None


def has_contradicting_keys(text: str) -> bool:
    """Whether a text is JSON but for an object that names one key twice, with different values."""
    try:
        json.loads(text, object_pairs_hook=_one_value_per_key)
    except _ContradictingKeysError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def embedded_json(text: str, opening: str) -> list[Found]:
    """The outermost values that begin with ``opening`` ("{" or "["), each strict or mended.

    Where no bracket is balanced, what follows the first one is mended as a whole.
    """
    spans = list(islice(_balanced(text, opening), MAX_VALUES))
    is_closed = bool(spans)
    if not spans and opening in text:
        spans = [text[text.index(opening) :]]
    mend = _mend if sum(map(len, spans)) <= MAX_MENDED_CHARS else _leave
    found = [_strict_or_mended(span, is_closed, mend) for span in spans]
    return [one for one in found if isinstance(one.value, dict if opening == "{" else list)]


def well_formed(value: object) -> object:
    """The value with lone surrogates in its strings replaced, so that it can be written as UTF-8.

    Raises ``ValueError`` for a number that is none, as ``1e999`` is read: JSON cannot hold it.
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


def _strict_or_mended(source: str, is_closed: bool, mend: Callable[[str], object]) -> Found:
    value = strict_json(source) if is_closed else None
    if value is not None:
        return Found(value, source)
    return Found(mend(source), source, is_mended=True, is_closed=is_closed)


def _leave(_source: str) -> object:
    return None


def _mend(source: str) -> object:
    import json_repair

    if not _is_shallow(source):
        return None
    try:
        return well_formed(json_repair.loads(source))
    except Exception:  # whatever a third-party mender trips over, the answer is unreadable and nothing else
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


def _refuse(constant: str) -> object:
    raise ValueError(constant)


_STRICT = json.JSONDecoder(object_pairs_hook=_one_value_per_key, parse_constant=_refuse)
"""Made once: to make one takes as long as to read an answer."""
