"""Epileptic or non-epileptic."""

from __future__ import annotations

import re

from s3harness.parsers.choice import MAX_HITS, is_negated
from s3harness.parsers.json_text import embedded_json, has_contradicting_keys, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.text import AnswerText, answer_text

LONGEST_PLAIN = 100


def es_nes(text: str, key: str = "answer") -> Reading:
    """Read "ES" or "NES".

    Forms: ``{"answer": "ES"}`` (the name is ``key``), the bare label, or a text with one of the labels as a
    whole word: ES, "epileptic (seizure)"; NES, PNES, "non-epileptic", "psychogenic". A plain answer in JSON counts,
    whatever the rest of the object says. Unparsable when both labels occur, when the label is negated, or when there is
    none; "YES" is none.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    values, is_whole = _keyed_values(answer.text, key)
    if values is None:
        return Reading.unparsable("two different answers")
    if not values:
        return _from_words(answer)
    if len({str(value).casefold() for value in values}) > 1:
        return Reading.unparsable("two different answers")
    notes = answer.notes if is_whole else (*answer.notes, "text around the JSON removed")
    return (
        _from_words(AnswerText(values[0], notes)) if isinstance(values[0], str) else Reading.unparsable("not a label")
    )


_PLAIN = {
    "es": "ES", "epileptic": "ES", "epilepticseizure": "ES", "epilepticseizurees": "ES", "esepilepticseizure": "ES",
    "nes": "NES", "pnes": "NES", "nonepileptic": "NES", "nonepilepticseizure": "NES", "nonepilepticevent": "NES",
    "psychogenicnonepilepticseizure": "NES", "nesnonepilepticseizure": "NES", "nonepilepticseizurenes": "NES",
}  # fmt: skip
_LABEL = re.compile(
    r"(?<![^\W_])(?:(?P<nes>P?NES|(?i:non[\s_\-‐‑–]{0,3}epileptic|psychogenic))|(?P<es>ES|(?i:epileptic)))(?![^\W_])"
)


def _keyed_values(text: str, key: str) -> tuple[list[object] | None, bool]:
    """The values under ``key`` of the JSON objects of a text, ``None`` for one that contradicts itself."""
    whole = strict_json(text)
    if isinstance(whole, dict):
        return ([whole[key]] if key in whole else []), True
    found = [one for one in embedded_json(text, "{") if one.is_closed]
    if any(one.is_mended and (has_contradicting_keys(one.source) or _names(one.source, key) > 1) for one in found):
        return None, False
    return [one.value[key] for one in found if isinstance(one.value, dict) and key in one.value], False


def _names(source: str, key: str) -> int:
    return len(re.findall(rf"[{{,\"'\s]{re.escape(key)}[\"']?\s{{0,9}}:", source))


def _from_words(answer: AnswerText) -> Reading:
    letters = "".join(c for c in answer.text[: LONGEST_PLAIN + 1].casefold() if c.isalpha())
    plain = _PLAIN.get(letters) if len(answer.text) <= LONGEST_PLAIN else None
    if plain:
        return Reading.noted(plain, answer.notes)
    hits = [(("NES" if match["nes"] else "ES"), match.start()) for match in _LABEL.finditer(answer.text)]
    labels = {label for label, _ in hits}
    if len(labels) != 1:
        return Reading.unparsable("both ES and NES" if labels else "neither ES nor NES")
    masked = _LABEL.sub(lambda match: "x" * len(match.group()), answer.text)
    if any(is_negated(masked, start) for _, start in hits[:MAX_HITS]):
        return Reading.unparsable(f"{hits[0][0]}, but in a sentence with a negation")
    return Reading.repaired(hits[0][0], "; ".join([*answer.notes, "found in a longer text"]))
