"""Tokens of a report: bounded, cleaned, each with its offsets in the original text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_CHARACTERS = 20_000
"""Characters of a report that are read. The longest released one, expert or model, has under 4,000."""

_TOKEN = re.compile(r"(?P<time>\d{1,2}(?:[:;]\s?\d{2}){1,3})|(?P<word>[a-z0-9]+(?:'[a-z]+)?)|(?P<mark>[.,;:!?()\n/])")
_WORD = re.compile(r"[^\s,;/|]+")
_APOSTROPHES = dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'")
_DASHES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-") | {"\u2014": ",", "\u2015": ","}
# Bullets end a sentence: the items of a list are statements of their own.
_CHARACTERS = _APOSTROPHES | _DASHES | {"\u2022": ".", "*": "."}


_FOLDED = {"ß": "s", "œ": "o", "æ": "a", "ø": "o"}
"""Letters without an accented form, each as one letter, so that offsets stay."""


@dataclass(frozen=True, slots=True)
class TextToken:
    """A word, a time of day or clock time, or a punctuation mark; ``start``/``end`` are offsets into the report."""

    text: str
    start: int
    end: int
    is_mark: bool = False
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a report, the sentence each belongs to, and the report they came from."""

    source: str
    items: tuple[TextToken, ...]
    sentence: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.items)

    def word(self, index: int) -> str:
        """Return the token at ``index``, or "" outside the text."""
        return self.items[index].text if 0 <= index < len(self.items) else ""

    def quote(self, first: int, last: int) -> tuple[str, int, int]:
        """Return the report's own words from token ``first`` to token ``last``, and their offsets."""
        start, end = self.items[first].start, self.items[last].end
        return " ".join(self.source[start:end].split()), start, end


def tokenise(report: str, *, is_folded: bool = False) -> Tokens:
    """Return lower-case words, times and marks of the first :data:`MAX_CHARACTERS` characters, in linear time.

    Invisible and combining characters are dropped, other control characters separate words, typographic quotes and
    dashes become plain ones. Hyphens separate words, so that "tonic–clonic" and "tonic clonic" are the same. With
    ``is_folded`` letters lose their accents, for languages other than English.
    """
    source = report[:MAX_CHARACTERS]
    clean, offsets = _clean(source)
    clean = fold(clean) if is_folded else clean
    tokens = []
    for match in _TOKEN.finditer(clean):
        start, end = offsets[match.start()], offsets[match.end() - 1] + 1
        kind = match.lastgroup
        tokens.append(TextToken(match.group(), start, end, is_mark=kind == "mark", is_time=kind == "time"))
    return Tokens(source, tuple(tokens), tuple(sentences(tokens)))


def fold(text: str) -> str:
    """Return a text of the same length whose letters have no accents: ä becomes a, ß becomes s."""
    return "".join(_FOLDED.get(character) or unicodedata.normalize("NFD", character)[0] for character in text)


def count_words(report: str) -> int:
    """Count white-space separated words, as the released word counts do; commas and the like separate words too.

    Otherwise a report could be one long word.
    """
    return sum(1 for _ in _WORD.finditer(report))


def _clean(source: str) -> tuple[str, list[int]]:
    characters: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(source):
        category = unicodedata.category(character)
        # Zero-width and combining characters within a word would hide it from the lexicon.
        if category in {"Cf", "Mn", "Me"}:
            continue
        characters.append(_plain(character, category))
        offsets.append(offset)
    return "".join(characters), offsets


def _plain(character: str, category: str) -> str:
    if character in _CHARACTERS:
        return _CHARACTERS[character]
    if character != "\n" and category[0] in "CZ":
        return " "
    # One character for one, so that every token keeps its offsets: "ﬁ" stays, as it would become two.
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


def sentences(tokens: list[TextToken]) -> list[int]:
    """Return the number of the sentence of each token."""
    number, numbers = 0, []
    for token in tokens:
        numbers.append(number)
        number += token.is_mark and token.text in ".;!?\n"
    return numbers
