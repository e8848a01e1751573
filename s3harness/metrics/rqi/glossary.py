"""Reports in other languages, read as the English words of a glossary: ``task_specs/glossary-LANGUAGE.yaml``.

The rules are written for English. A glossary gives phrases of another language the English words that the lexicon
knows, so that the same rules find signs, sides, denials, doubts and the order of events. Words without an entry stand
for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from s3harness.errors import SpecError
from s3harness.metrics.rqi.lexicon import PhraseIndex, PhraseMatch
from s3harness.metrics.rqi.text import TextToken, Tokens, fold, sentences, tokenise
from s3harness.specs.document import read_document, specs_directory
from s3harness.specs.features import benchmark_vocabulary, cached_per_vocabulary, vocabulary

SCHEMA = "s3harness/glossary/v1"
MEANINGLESS = "_"
"""Before a word without an entry: no phrase of the lexicon begins so."""

AT_END = {"not": "not observed"}
"""Words that mean others at the end of a clause: "der Kopf dreht sich nicht" denies what stands before it."""
PARTS = frozenset({"head", "eyes", "eyelids", "mouth", "face", "arm", "hand", "leg", "limbs"})
SIDES = frozenset({"left", "right"})

# Only one word may hold an apostrophe; what stands before it is an article, a preposition or a pronoun.
_ELIDED = re.compile(r"(?:l|d|qu|s|n|c|j|m|t)'(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Glossary:
    """The phrases of one language (ISO 639-1), each under the English words that it stands for.

    With ``sides_follow`` a side stands behind its part of the body, as in "le bras droit".
    """

    language: str
    phrases: PhraseIndex
    sides_follow: bool = False

    def english(self, report: str) -> Tokens:
        """Return a report as English tokens, each with the offsets of the words that it stands for."""
        tokens = tokenise(report, is_folded=True)
        meanings = self._meanings(tokens)
        items: list[TextToken] = []
        index = 0
        while index < len(tokens):
            hit = meanings.get(index)
            token = tokens.items[index]
            if hit is None:
                # Numbers, times and marks are the same in all these languages.
                is_kept = token.is_mark or token.is_time or token.text.isdigit()
                text = token.text if is_kept else MEANINGLESS + token.text
                items.append(TextToken(text, token.start, token.end, is_mark=token.is_mark, is_time=token.is_time))
                index += 1
                continue
            last = tokens.items[hit.last]
            english = AT_END.get(hit.name, hit.name) if _ends_clause(tokens, hit.last) else hit.name
            items += [TextToken(word, token.start, last.end) for word in english.split()]
            index = hit.last + 1
        items = _with_sides_before(items) if self.sides_follow else items
        return Tokens(tokens.source, tuple(items), tuple(sentences(items)))

    def _meanings(self, tokens: Tokens) -> dict[int, PhraseMatch]:
        """Return index of the first word → the longest phrase that begins there."""
        plain = tuple(_without_elision(token) for token in tokens.items)
        longest: dict[int, PhraseMatch] = {}
        words = Tokens(tokens.source, plain, tokens.sentence)
        # A user's own words for a sign first: of two phrases of one length they count.
        for hit in (*_own_signs().find(words), *self.phrases.find(words)):
            if hit.first not in longest or hit.last > longest[hit.first].last:
                longest[hit.first] = hit
        return longest


def _ends_clause(tokens: Tokens, index: int) -> bool:
    return index + 1 == len(tokens) or tokens.items[index + 1].is_mark


def _with_sides_before(items: list[TextToken]) -> list[TextToken]:
    """Return the tokens with each side before the part of the body that it follows."""
    out = list(items)
    for first in range(len(out) - 1):
        part, side = out[first], out[first + 1]
        if part.text in PARTS and side.text in SIDES:
            # Both have the place of both, since a quotation goes from the beginning of one to the end of another.
            start, end = min(part.start, side.start), max(part.end, side.end)
            out[first : first + 2] = [TextToken(side.text, start, end), TextToken(part.text, start, end)]
    return out


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Return the languages that have a glossary, in order."""
    return tuple(sorted(path.stem.partition("-")[2] for path in specs_directory().glob("glossary-*.yaml")))


def known_language(truth: Mapping[str, object]) -> str:
    """Return the language that a report's truth states, if it has a glossary; "" else, and for English."""
    language = str(truth.get("language") or "")
    return language if language in languages() else ""


# A file per language, read and compiled once a process.
@lru_cache(maxsize=8)
def glossary(language: str) -> Glossary:
    """Return the glossary of a language; raise :class:`SpecError` if there is none, or it is wrong."""
    if language not in languages():
        raise SpecError(f"there is no glossary for the language {language!r}; there are {', '.join(languages())}")
    document = read_document(specs_directory() / f"glossary-{language}.yaml")
    data: Any = document.data
    if data.get("schema") != SCHEMA or data.get("language") != language:
        raise document.error(("schema",), f"expected {SCHEMA}, and language: {language}")
    index = PhraseIndex()
    for english, phrases in data["words"].items():
        # Folded like the report; a phrase is cut at hyphens and elisions as the report is.
        index.add(english, [_folded(phrase) for phrase in phrases])
    return Glossary(language, index, bool(data.get("sides_follow", False)))


@cached_per_vocabulary(maxsize=1)
def _own_signs() -> PhraseIndex:
    """Return the words of a user's own signs, in whatever language, each under the name that the lexicon knows."""
    index = PhraseIndex()
    ours = benchmark_vocabulary().names
    for feature in vocabulary().features if vocabulary().is_own else ():
        if feature.name not in ours:
            index.add(feature.name.replace("_", " "), map(_folded, (feature.title, *feature.synonyms)))
    return index


def _folded(phrase: object) -> str:
    if not isinstance(phrase, str):
        raise SpecError(f"glossary: {phrase!r} is no phrase; quote words that YAML reads as something else")
    return _ELIDED.sub("", fold(phrase.lower()).replace("-", " "))


def _without_elision(token: TextToken) -> TextToken:
    text = _ELIDED.sub("", token.text)
    return token if text == token.text else TextToken(text, token.start, token.end)
