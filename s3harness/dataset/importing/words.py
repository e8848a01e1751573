"""Words of cells: yes and no, sides, certainty, diagnoses and signs, in the spellings that are known or mapped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from s3harness.dataset.importing.mapping import IGNORE, SEIZURE, UNKNOWN
from s3harness.dataset.importing.times import seconds
from s3harness.errors import suggest
from s3harness.specs.features import vocabulary

PRESENT = {
    "yes": ("yes", "y", "true", "1", "x", "present"),
    "no": ("no", "n", "false", "0", "absent"),
    "untested": ("untested", "na", "n/a", "not tested", ""),
}
SIDES = {"left": ("left", "l"), "right": ("right", "r"), "both": ("both", "b", "bilateral"), "no_side": ("",)}
CERTAINTIES = {"certain": ("certain", "sure", "definite"), "uncertain": ("uncertain", "unsure", "possible")}
EVENTS = ("seizure", "event", "ictal event")
"""Words for the event itself."""

_SEPARATORS = re.compile(r"\s*[,;/()\s]\s*")
_SPAN = re.compile(r"([\d:.,]*\d)\s*(?:-|–|to|bis|à|a)\s*([\d:.,]*\d)")


class SignMeaning(NamedTuple):
    """Sign of a word, or :data:`IGNORE` or :data:`SEIZURE`, with the side and the presence that the word carries."""

    sign: str
    side: str = ""
    present: str = ""


def spellings(builtin: Mapping[str, tuple[str, ...]], mapping: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return meaning → its spellings in lower case, the mapping's own ones among them."""
    further = mapping.get("words", {})
    own = {key: tuple(map(str.lower, further.get(key, ()))) for key in builtin}
    taken = {word for words in own.values() for word in words}
    # The mapping's own word goes first: in French, "n" may mean that nothing was noted.
    return {key: (*(word for word in builtin[key] if word not in taken), *own[key]) for key in builtin}


def meaning_of(text: str, words: Mapping[str, Iterable[str]], where: str) -> str | None:
    """Return the meaning of a word; ``where`` is the place in the mapping for spellings that are not known."""
    for meaning, known in words.items():
        if text.lower() in known:
            return meaning
    if not text:
        return None
    raise ValueError(
        f"{text!r} is none of {', '.join(w for s in words.values() for w in s if w)}; add it to the mapping, "
        f"under {where}"
    )


def sign_of(word: str, words: Mapping[str, Any]) -> SignMeaning:
    """Return the sign of a word; :class:`ValueError` with the nearest names if there is none."""
    known = (*vocabulary().names, *vocabulary().signs)
    # The mapping's own word goes first: it may rename even a sign of the vocabulary.
    meaning = words.get(word)
    if isinstance(meaning, Mapping):
        return SignMeaning(meaning["sign"], meaning.get("side", ""), meaning.get("present", ""))
    sign = meaning or word.lower().replace(" ", "_")
    if meaning is None and word.lower() in EVENTS:
        return SignMeaning(SEIZURE)
    if sign not in (*known, IGNORE, SEIZURE):
        sign = vocabulary().synonyms.get(word.lower(), sign) if meaning is None else sign
    if sign not in (*known, IGNORE, SEIZURE):
        near = suggest(sign, known)
        raise ValueError(
            f"there is no sign named {word!r}{near}; add its meaning to the mapping, under sign.vocabulary"
        )
    return SignMeaning(sign)


def diagnoses(mapping: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return ES, NES and unknown → their words in lower case."""
    values = mapping["diagnosis"].get("values", {})
    meanings = ("ES", "NES", UNKNOWN)
    return {k: [k.lower(), *(word.lower() for word, meaning in values.items() if meaning == k)] for k in meanings}


def present_cell(text: str, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a cell says of a sign: ``present``, and ``side``, ``start_s`` and ``end_s`` where it has them.

    A cell is a word for yes, no or untested, a side, a time or a span of times, or several of them: ``ja, li. 12-30``.
    A side or a time alone means that the sign was present.
    """
    words, sides = spellings(PRESENT, mapping), spellings(SIDES, mapping)
    # As a whole first: "not tested" is one word, and so may be any of the mapping's.
    if any(text.lower() in known for known in words.values()):
        return {"present": meaning_of(text, words, "words")}
    label: dict[str, Any] = {}
    rest = _SPAN.sub(lambda span: _span(span, label), text)
    for token in filter(None, _SEPARATORS.split(rest)):
        side = next((meaning for meaning, known in sides.items() if token.lower() in known), None)
        present = next((meaning for meaning, known in words.items() if token.lower() in known), None)
        if present is not None and "present" not in label:
            label["present"] = present
        elif side is not None and "side" not in label:
            label["side"] = side
        elif "start_s" not in label and _is_time(token):
            label["start_s"] = seconds(token)
        else:
            meaning_of(text, words, "words")
    return {"present": "yes"} | label


def _span(span: re.Match[str], label: dict[str, Any]) -> str:
    label["start_s"], label["end_s"] = seconds(span[1]), seconds(span[2])
    return ""


def _is_time(token: str) -> bool:
    try:
        return seconds(token) is not None
    except ValueError:
        return False
