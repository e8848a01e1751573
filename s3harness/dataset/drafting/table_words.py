"""Concepts of words: tokens of a phrase to concepts, by the stems of ``task_specs/table_words.yaml``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

from s3harness.specs.document import read_document, specs_directory

FILE = "table_words.yaml"
MAX_CHARACTERS = 200
"""Characters of a header or a cell that are understood; longer ones are reports."""
MAX_READINGS = 128
"""Readings of a phrase that are compared, where its words have several meanings each."""
LINKS = ("", "s", "n", "en", "e", "es", "er", "ns", "o", "i")
"""Letters between the parts of a compound."""
MAX_ENDING = 9
"""Letters that a starred stem may be followed by."""
MIN_PART = 3
"""Letters of a part of a compound at least."""

FILLER = frozenset({"filler", "not"})
"""Concepts of short words that are no parts of compounds: "sem" is without, and no part of "semiflexão"."""

_HUMP = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])")
_TOKEN = re.compile(r"[^\W_]+|[#?]+|n°")
_DIGRAPHS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ß", "ss"), ("œ", "o"), ("æ", "a"))


@dataclass(frozen=True)
class Stems:
    """Stems of concepts: exact words, beginnings of words, and which of both are ``phrases`` of several words."""

    exact: Mapping[str, frozenset[str]]
    starred: Mapping[str, frozenset[str]]
    phrases: tuple[str, ...] = ()

    def concepts(self, token: str) -> frozenset[tuple[str, ...]]:
        """Return the readings of a folded token: one concept, or those of a compound's parts; empty if unknown."""
        whole = {(concept,) for concept in self.exact.get(token, ())}
        # "lid" is the eyelid and no beginning of "lidocaine": only starred stems take endings.
        longest = max((n for n in range(2, len(token) + 1) if token[:n] in self.starred), default=0)
        if longest and len(token) - longest <= MAX_ENDING:
            whole |= {(concept,) for concept in self.starred[token[:longest]]}
        if whole and (longest in (0, len(token)) or token in self.exact):
            return frozenset(whole)
        return frozenset(self._parts(token)) or frozenset(whole)

    def _parts(self, token: str) -> Iterator[tuple[str, ...]]:
        """Yield the concepts of the parts of a compound, the longest first part first."""
        for length in range(len(token) - MIN_PART, MIN_PART - 1, -1):
            first = token[:length]
            concepts = (self.exact.get(first, frozenset()) | self.starred.get(first, frozenset())) - FILLER
            for link in LINKS if concepts else ():
                rest = token[length + len(link) :]
                if not token[length:].startswith(link) or len(rest) < MIN_PART:
                    continue
                # Articles are no parts of compounds, and stand by chance in many words.
                after = [others for others in self.concepts(rest) if not FILLER & set(others)]
                if after:
                    yield from ((concept, *others) for concept in concepts for others in after)
                    return


@dataclass(frozen=True, slots=True)
class Phrase:
    """One reading of a phrase: its concepts, and the words that no concept explains."""

    concepts: frozenset[str]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class TableWords:
    """The words of tables: stems of headers, of signs and of diagnoses, rules, and words of cells."""

    headers: Stems
    signs: Stems
    diagnoses: Stems
    sign_rules: Mapping[str, tuple[frozenset[str], ...]]
    diagnosis_rules: Mapping[str, tuple[frozenset[str], ...]]
    values: Mapping[str, frozenset[str]]
    unlisted_untested: tuple[str, ...]
    prepositions: frozenset[str]


@lru_cache(maxsize=1)
def table_words() -> TableWords:
    """Load ``task_specs/table_words.yaml``."""
    data = read_document(specs_directory() / FILE).data
    columns, signs = data["columns"], data["body_and_movement"]
    diagnosis, common = data["diagnosis_words"], data["common"]
    # Of the headers, a sign may be said to begin or to be denied.
    of_events = {key: columns[key] for key in ("seizure", "clinical", "begin", "end")}
    return TableWords(
        headers=_stems(columns, signs, {"epileptic": diagnosis["epileptic"]}, common),
        signs=_stems(signs, of_events, {"not": diagnosis["not"]}, common),
        diagnoses=_stems(diagnosis, {"seizure": columns["seizure"]}, common),
        sign_rules=_rules(data["signs"]),
        diagnosis_rules=_rules(data["diagnoses"]),
        values={meaning: frozenset(map(value_key, words)) for meaning, words in data["values"].items()},
        unlisted_untested=tuple(data["unlisted_untested"]),
        prepositions=frozenset(map(fold, data["prepositions"])),
    )


def fold(text: str) -> str:
    """Return a text in small letters without accents, transliterated umlauts like plain letters."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("°", "o"))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    for digraph, letter in _DIGRAPHS:
        plain = plain.replace(digraph, letter)
    return plain


def tokens(text: str) -> list[str]:
    """Return the folded words of a header or a cell: parted at separators and humps."""
    return [fold(token) for token in _TOKEN.findall(_HUMP.sub(" ", text[:MAX_CHARACTERS].replace("_", " ")))]


def value_key(text: object) -> str:
    """Return a cell's word as it is compared: case, accents and blanks aside, signs kept."""
    return " ".join(fold(str(text)).split())


def readings(words: Iterable[str], stems: Stems, neutral: Collection[str] = ("filler",)) -> list[Phrase]:
    """Return the readings of the words of a phrase, without those concepts that mean nothing."""
    choices: list[frozenset[tuple[str, ...]]] = []
    unknown = []
    for word in words:
        concepts = stems.concepts(word)
        if concepts:
            choices.append(concepts)
        else:
            unknown.append(word)
    combined = islice(product(*map(sorted, choices)), MAX_READINGS)
    sets = dict.fromkeys(frozenset(c for parts in one for c in parts) - frozenset(neutral) for one in combined)
    return [Phrase(concepts, tuple(unknown)) for concepts in sets]


def best_rule(
    phrases: Iterable[Phrase], rules: Mapping[str, tuple[frozenset[str], ...]], neutral: frozenset[str]
) -> tuple[list[str], frozenset[str], int]:
    """Return the names whose rule explains most of a phrase, the concepts it leaves, and the number of unknown words.

    ``neutral`` concepts may be left without harm.
    """
    best: tuple[int, int] = (0, 0)
    names: list[str] = []
    left, unknown = frozenset[str](), 0
    for phrase in phrases:
        for name, rows in rules.items():
            for row in rows:
                rest = phrase.concepts - row - neutral
                score = (len(row), -len(rest))
                if row <= phrase.concepts and score >= best:
                    names = [*names, name] if score == best else [name]
                    if score > best:
                        left = phrase.concepts - row
                    best, unknown = score, len(phrase.unknown)
    return list(dict.fromkeys(names)), left, unknown


def _rules(rules: Mapping[str, Iterable[str]]) -> dict[str, tuple[frozenset[str], ...]]:
    return {name: tuple(frozenset(row.split()) for row in rows) for name, rows in rules.items()}


def _stems(*groups: Mapping[str, Iterable[object]]) -> Stems:
    exact: dict[str, set[str]] = {}
    starred: dict[str, set[str]] = {}
    phrases = set()
    for group in groups:
        for concept, words in group.items():
            for word in map(str, words):
                kind = starred if word.endswith("*") else exact
                stem = "".join(tokens(word.rstrip("*"))) or fold(word)
                kind.setdefault(stem, set()).add(concept)
                phrases |= {stem} if len(tokens(word)) > 1 else set()
    return Stems(
        {stem: frozenset(concepts) for stem, concepts in exact.items()},
        {stem: frozenset(concepts) for stem, concepts in starred.items()},
        tuple(sorted(phrases)),
    )
