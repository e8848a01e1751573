"""The closed vocabulary of ``task_specs/lexicon.yaml``, compiled so that a text is searched in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from s3harness.errors import SpecError
from s3harness.metrics.rqi.text import Token, Tokens
from s3harness.specs.document import read_document, specs_directory

SCHEMA = "s3harness/lexicon/v1"
_STEM = 2
_GROUPS = ("parts", "motions", "features", "laterality", "negation", "order", "phases", "off_topic", "hazard")


Phrase = tuple[tuple[str, ...], str]
"""The words of a phrase, a star for any ending, and its name."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: its name within its group, and the indexes of its first and last token."""

    name: str
    first: int
    last: int


@dataclass
class PhraseIndex:
    """Phrases by name, looked up by the beginning of their first word: the cost is that of the text alone.

    ``by_word`` remembers, for each word that a text had, the phrases that begin with it.
    """

    by_stem: dict[str, list[Phrase]] = field(default_factory=lambda: defaultdict(list))
    by_word: dict[str, tuple[Phrase, ...]] = field(default_factory=dict)

    def add(self, name: str, phrases: Iterable[str]) -> None:
        """Register phrases under a name."""
        for phrase in phrases:
            if not isinstance(phrase, str) or not phrase.split():
                raise SpecError(
                    f"lexicon: {name}: {phrase!r} is not a phrase; quote words that YAML reads as something else"
                )
            words = tuple(phrase.replace("-", " ").split())
            self.by_stem[words[0][:_STEM]].append((words, name))
            self.by_word.clear()

    def find(self, tokens: Tokens) -> list[Hit]:
        """Every phrase in the text; of those of one name that begin at one word, the longest."""
        hits: list[Hit] = []
        for index, token in enumerate(tokens.items):
            phrases = self.by_word.get(token.text)
            if phrases is None:
                phrases = self.by_word[token.text] = self._beginning_with(token)
            if phrases and not token.is_mark:
                hits += self._at(tokens, index, phrases)
        return hits

    def _at(self, tokens: Tokens, index: int, phrases: Sequence[Phrase]) -> Iterator[Hit]:
        longest: dict[str, int] = {}
        for words, name in phrases:
            if len(words) > longest.get(name, 0) and _matches(words, tokens.items[index : index + len(words)]):
                longest[name] = len(words)
        for name, length in longest.items():
            yield Hit(name, index, index + length - 1)

    def _beginning_with(self, token: Token) -> tuple[Phrase, ...]:
        return tuple(p for p in self.by_stem.get(token.text[:_STEM], ()) if _is_word(p[0][0], token.text))


@dataclass(frozen=True, slots=True)
class Sign:
    """How one feature is recognised beside its outright names: (part, motion) pairs, and pairs that need both sides."""

    attached: tuple[tuple[str, str], ...]
    both_sides: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The vocabulary in searchable form: one :class:`PhraseIndex` per group of phrases that a text is searched for."""

    signs: Mapping[str, Sign]
    phrases: PhraseIndex
    exceptions: PhraseIndex
    opposites: PhraseIndex
    parts: PhraseIndex
    part_exceptions: PhraseIndex
    motions: PhraseIndex
    laterality: PhraseIndex
    negation: PhraseIndex
    order: PhraseIndex
    phases: PhraseIndex
    off_topic: PhraseIndex
    hazard: PhraseIndex


@lru_cache(maxsize=1)
def default_lexicon() -> Lexicon:
    """The benchmark's own lexicon."""
    return load_lexicon(specs_directory() / "lexicon.yaml")


def load_lexicon(path: Path) -> Lexicon:
    """Read and compile a lexicon file; raises :class:`SpecError` naming what is missing or unknown."""
    document = read_document(path)
    data = document.data
    if data.get("schema") != SCHEMA:
        raise document.error(("schema",), f"expected {SCHEMA}, found {data.get('schema')!r}")
    for group in _GROUPS:
        if not isinstance(data.get(group), dict):
            raise document.error((group,), "a mapping of names to lists of phrases is expected")
    return _compile(data, path)


def _compile(data: Mapping[str, Any], path: Path) -> Lexicon:
    features: Mapping[str, Any] = data["features"]
    signs = {name: _sign(name, entry, data, path) for name, entry in features.items()}
    indexes = {group: _index(data[group]) for group in _GROUPS if group != "features"}
    return Lexicon(
        signs=signs,
        phrases=_index({name: entry.get("phrases", ()) for name, entry in features.items()}),
        exceptions=_index({name: entry.get("except", ()) for name, entry in features.items()}),
        opposites=_index({name: entry.get("opposites", ()) for name, entry in features.items()}),
        part_exceptions=_index({"not_a_part": data.get("part_exceptions", ())}),
        **indexes,
    )


def _sign(name: str, entry: Mapping[str, Any], data: Mapping[str, Any], path: Path) -> Sign:
    pairs = {
        key: tuple((str(part), str(motion)) for part, motion in entry.get(key, ()))
        for key in ("attached", "both_sides")
    }
    for part, motion in (*pairs["attached"], *pairs["both_sides"]):
        if part not in data["parts"] or motion not in data["motions"]:
            raise SpecError(f"{path.name}: features.{name}: [{part}, {motion}] must be one of parts and one of motions")
    return Sign(**pairs)


def _index(groups: Mapping[str, Iterable[str]]) -> PhraseIndex:
    index = PhraseIndex()
    for name, phrases in groups.items():
        index.add(name, phrases)
    return index


def _matches(words: Sequence[str], tokens: Sequence[Token]) -> bool:
    return len(words) == len(tokens) and all(map(_word_matches, words, tokens))


def _word_matches(word: str, token: Token) -> bool:
    return not token.is_mark and _is_word(word, token.text)


def _is_word(word: str, text: str) -> bool:
    return text.startswith(word[:-1]) if word.endswith("*") else text == word
