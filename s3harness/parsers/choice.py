"""The parser of one of a closed list of answers."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.parsers.json_text import embedded_json
from s3harness.parsers.key_value import keyed_values
from s3harness.parsers.labels import Labels, find_in_prose, find_outright, labels_of
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import AnswerText, answer_text, plain_text


def choice(text: str, choices: Sequence[str], key: str = "answer") -> Reading:
    """Read the one of ``choices`` that a text names.

    Clean when the text is a choice but for case, blanks and punctuation. Repaired when the text is a word for a choice
    ("left hand" for "left arm", "links" for "left"), opens or ends with one, marks it as its answer ("Answer: left"),
    has it under ``key`` of a JSON object or as its only field, or when exactly one choice occurs in it as whole words
    and the list is not one of yes and no. A longer choice hides the shorter ones inside it ("left arm", "arm").
    Unparsable when no choice or several are given, or when the only one stands in a sentence that negates something
    ("not left"); a choice that is denied beside another ("left, not right") does not count.
    """
    answer = answer_text(text)
    bare = _letters(answer.text)
    if not bare:
        return Reading.unparsable("empty")
    exact = [c for c in choices if _letters(c) == bare]
    if len(exact) == 1:
        return Reading.noted(exact[0], answer.notes)
    labels = labels_of(tuple(choices))
    keyed = keyed_values(answer.text, key)
    if keyed is None or keyed.contradicts:
        return Reading.unparsable("two different answers") if keyed else _from_words(answer, labels)
    # An object with one field alone has its answer there, whatever the model called the field.
    values = keyed.values or _lone(answer.text)
    return _from_values(values, answer, labels) if values else _from_words(answer, labels)


def _from_values(values: Sequence[object], answer: AnswerText, labels: Labels) -> Reading:
    readings = [
        _from_words(AnswerText(str(value), answer.notes), labels) if isinstance(value, str) else Reading.unparsable("")
        for value in values
    ]
    # Several equal answers are one; picking the first or last of different ones would invent a preference.
    if len({reading.value for reading in readings}) > 1:
        return Reading.unparsable("two different answers")
    if readings[0].value is None:
        return readings[0] if readings[0].note else Reading.unparsable("not one of the choices")
    return Reading.repaired(readings[0].value, "; ".join([*answer.notes, "found in a JSON object"]))


def _lone(text: str) -> tuple[object, ...]:
    """The value of an object's only field, whatever its name."""
    objects = [one.value for one in embedded_json(text, "{") if isinstance(one.value, dict)]
    return tuple(value for one in objects if len(one) == 1 for value in one.values())


def _from_words(answer: AnswerText, labels: Labels) -> Reading:
    # Before the labels: "I cannot view the video on the left" names one and answers nothing.
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    given = find_outright(answer.text, labels)
    if len(given.names) > 1:
        return Reading.unparsable(f"several of the choices: {', '.join(sorted(given.names))}")
    if given.names:
        return Reading.repaired(next(iter(given.names)), "; ".join([*answer.notes, "found in a longer text"]))
    # Prose is the last resort: an answer given outright may mention other choices in its explanation.
    name, problem = find_in_prose(plain_text(answer.text), labels)
    if name is None:
        return Reading.unparsable(problem)
    return Reading.repaired(name, "; ".join([*answer.notes, "found in a longer text"]))


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
