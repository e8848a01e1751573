"""The parser of a diagnosis: epileptic (ES) or non-epileptic (NES)."""

from __future__ import annotations

from functools import lru_cache

from s3harness.parsers.key_value import keyed_values
from s3harness.parsers.labels import Labels, find_in_prose, find_outright, labels_from
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import AnswerText, answer_text, plain_text

LONGEST_PLAIN = 100
"""Characters of a reply that may be a bare label; a longer one is searched for labels."""


def es_nes(text: str, key: str = "answer") -> Reading:
    """Read "ES" or "NES".

    Forms: ``{"answer": "ES"}`` (the name is ``key``, in any case), the bare label, or a text that gives one of the
    labels: ES, "epileptic (seizure)"; NES, PNES, "non-epileptic", "psychogenic", "functional seizure", and the words of
    other languages. A plain answer in JSON counts, whatever the rest of the object says; in a text the label that it
    opens or ends with, or marks as its answer, else the label that occurs. A label that is denied beside the other
    ("ES, not NES") does not count. Unparsable when both labels occur, when the only one stands in a sentence that
    negates something, or when there is none; "YES" is no label.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    keyed = keyed_values(answer.text, key)
    # An object without the field may still hold a diagnosis in its words.
    if keyed is None or not (keyed.values or keyed.contradicts):
        return _from_words(answer)
    readings = [_from_words(AnswerText(v)) if isinstance(v, str) else _NO_LABEL for v in keyed.values]
    if keyed.contradicts or len({reading.value for reading in readings}) > 1:
        return Reading.unparsable("two different answers")
    notes = answer.notes if keyed.is_whole else (*answer.notes, "text around the JSON removed")
    first = readings[0]
    return first if first.value is None else Reading.noted(first.value, (*notes, *([first.note] if first.note else [])))


_NO_LABEL = Reading.unparsable("not a label")
_PLAIN = {
    "es": "ES", "epileptic": "ES", "epilepticseizure": "ES", "epilepticseizurees": "ES", "esepilepticseizure": "ES",
    "nes": "NES", "pnes": "NES", "nonepileptic": "NES", "nonepilepticseizure": "NES", "nonepilepticevent": "NES",
    "psychogenicnonepilepticseizure": "NES", "nesnonepilepticseizure": "NES", "nonepilepticseizurenes": "NES",
}  # fmt: skip
_KINDS = r"(?: (?:seizures?|events?|attacks?|anfall|anfälle|crises?|crisis|nature))?"
# (?-i:…) keeps the case of "ES": in lower case it is a word of Spanish, French and German. NES stands first, as
# "epileptic" is part of "non-epileptic".
_WORDS = {
    "NES": (
        r"(?-i:P?NES)", rf"(?:psychogenic )?non[\s_\-‐‑–]{{0,3}}epileptic{_KINDS}", "psychogenic", "pseudo-?seizures?",
        r"(?:functional|dissociative)(?: \(?(?:functional|dissociative)\)?)? (?:seizures?|attacks?)",
        "nicht epileptische?[nrs]?(?: anfall)?", "non épileptiques?", r"no epil[eé]ptic[ao]s?",
        r"não epil[eé]ptic[ao]s?", "epileptik olmayan", "неэпилептическ[а-я]{2,3}",
        "非癫痫性?(?:发作)?", "非てんかん性?(?:発作)?",
    ),
    "ES": (
        r"(?-i:ES)", rf"epileptic{_KINDS}", "epileptische?[nrs]?(?: anfall)?", "(?:crise )?épileptiques?",
        r"epil[eé]ptic[ao]s?", "epileptik(?! olmayan)(?: nöbet)?", "эпилептическ[а-я]{2,3}",
        "癫痫性?(?:发作)?", "てんかん性?(?:発作)?",
    ),
}  # fmt: skip


@lru_cache(maxsize=1)
def _labels() -> Labels:
    return labels_from(_WORDS, _WORDS, ends_at_comma=True)


def _from_words(answer: AnswerText) -> Reading:
    # Letters alone, so that "NES (non-epileptic)", "**NES**" and "Non-epileptic." are all the same key.
    letters = "".join(c for c in answer.text[: LONGEST_PLAIN + 1].casefold() if c.isalpha())
    plain = _PLAIN.get(letters) if len(answer.text) <= LONGEST_PLAIN else None
    if plain:
        return Reading.noted(plain, answer.notes)
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    given = find_outright(answer.text, _labels())
    if len(given.names) > 1:
        return Reading.unparsable("both ES and NES")
    name, problem = (next(iter(given.names)), "") if given.names else find_in_prose(plain_text(answer.text), _labels())
    if name is None:
        return Reading.unparsable(_problem(problem))
    return Reading.repaired(name, "; ".join([*answer.notes, "found in a longer text"]))


def _problem(problem: str) -> str:
    """Reason of :func:`find_in_prose` in the words of this parser."""
    kinds = {"none of the choices": "neither ES nor NES", "several of the choices: ES, NES": "both ES and NES"}
    return kinds.get(problem, problem)
