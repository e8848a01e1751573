"""Values under a name in the JSON objects of a text, whatever the case or wording of the name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from s3harness.parsers.json_text import JsonSpan, embedded_json, has_contradicting_keys, strict_json

SYNONYMS: Mapping[str, frozenset[str]] = {
    "answer": frozenset({
        "finalanswer", "response", "result", "prediction", "label", "decision", "choice", "verdict",
        "classification", "diagnosis", "presence", "present", "antwort", "réponse", "reponse",
        "respuesta", "risposta", "resposta", "cevap", "ответ", "答案", "回答",
    }),
    "justification": frozenset({
        "reason", "reasoning", "rationale", "explanation", "evidence", "description", "begründung",
        "raison", "justificación", "理由",
    }),
    "description": frozenset({
        "reason", "reasoning", "rationale", "explanation", "justification", "evidence",
    }),
    "timestamp": frozenset({
        "time", "timecode", "moment", "onset", "offset", "starttime", "onsettime", "offsettime",
        "seconds", "second",
    }),
    "events": frozenset({
        "signs", "features", "sequence", "symptoms", "order", "answer", "list",
    }),
}  # fmt: skip
"""Name in the schema → other names, folded, that models give the same field."""

MAX_DEPTH = 2
"""Objects around a field at most; {"result": {"answer": …}} has one."""


@dataclass(frozen=True, slots=True)
class KeyedValues:
    """The values under a name. ``is_whole`` where the text is the object, with exactly that name, and nothing else.

    ``contradicts`` where an object has the name twice, of which JSON readers take one value; ``sources`` are the texts
    of the objects that were no strict JSON and had to be mended.
    """

    values: tuple[object, ...]
    is_whole: bool
    contradicts: bool = False
    sources: tuple[str, ...] = ()


def keyed_values(text: str, key: str) -> KeyedValues | None:
    """Return the values under ``key`` of the JSON objects in a text; ``None`` where the text holds no object."""
    whole = strict_json(text)
    if isinstance(whole, dict):
        return KeyedValues(tuple(_values(whole, key)), is_whole=key in whole)
    # An unclosed object counts once it was mended: a cut reply has its answer before its justification.
    objects = [one for one in embedded_json(text, "{") if one.is_closed or one.is_mended]
    if not objects:
        return None
    values = tuple(value for one in objects if isinstance(one.value, dict) for value in _values(one.value, key))
    return KeyedValues(
        values,
        is_whole=False,
        contradicts=any(_is_named_twice(one, key) for one in objects),
        sources=tuple(one.source for one in objects if one.is_mended),
    )


def fold_name(name: str) -> str:
    """Return a field's name without case, blanks, hyphens and underscores."""
    return re.sub(r"[\W_]+", "", name.casefold())


def is_same_field(name: str, key: str) -> bool:
    """Return whether a field's name is ``key`` or one of its synonyms."""
    folded = fold_name(name)
    return folded == fold_name(key) or folded in SYNONYMS.get(key, ())


def _values(value: Mapping[str, object], key: str, depth: int = 0) -> Iterator[object]:
    """The values of all fields named ``key`` or a synonym, of the object or else of the objects in it."""
    own = [item for name, item in value.items() if is_same_field(name, key)]
    # {"answer": {"answer": "left"}}: the object under the name is a wrapper, not the value.
    answers = [item for item in own if not isinstance(item, dict) or depth >= MAX_DEPTH]
    yield from answers
    if not answers and depth < MAX_DEPTH:
        for item in value.values():
            if isinstance(item, dict):
                yield from _values(item, key, depth + 1)


def _is_named_twice(one: JsonSpan, key: str) -> bool:
    named = rf"[{{,\"'\s]{re.escape(key)}[\"']?\s{{0,9}}:"
    return one.is_mended and (has_contradicting_keys(one.source) or len(re.findall(named, one.source)) > 1)
