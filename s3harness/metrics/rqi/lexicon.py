"""The closed vocabulary of ``task_specs/lexicon.yaml``, compiled so that a text is searched in one pass.

A lexicon of the second schema also has signs beyond the benchmark's vocabulary, words of doubt and qualifiers of
motions; one of the first, ``lexicon-1.yaml``, has none of these, and its readings never change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.errors import SpecError
from s3harness.metrics.rqi.text import TextToken, Tokens, tokenise
from s3harness.specs.document import read_document, specs_directory
from s3harness.specs.features import Vocabulary, cached_per_vocabulary, vocabulary

FIRST_SCHEMA = "s3harness/lexicon/v1"
SCHEMA = "s3harness/lexicon/v2"
FILE = "lexicon.yaml"
FIRST_FILE = "lexicon-1.yaml"
"""The lexicon of ``strict-1`` and ``paper``; it never changes, so that their scores do not."""
_STEM = 2
"""Letters of its first word by which a phrase is looked up."""
_GROUPS = ("parts", "motions", "features", "laterality", "negation", "order", "phases", "off_topic", "hazard")
_GROUPS_OF_SECOND = ("qualifiers", "doubt", "beyond", "movement")
_SIGN_GROUPS = ("features", "beyond", "movement")


Phrase = tuple[tuple[str, ...], str]
"""The words of a phrase, a star for any ending, and its name."""


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    """A phrase in a text: its name within its group, and the indexes of its first and last token."""

    name: str
    first: int
    last: int


@dataclass
class PhraseIndex:
    """Phrases by name, looked up by the beginning of their first word: search takes time in the text's length alone.

    ``by_word`` caches the phrases that begin with each word of earlier texts.
    """

    by_stem: dict[str, list[Phrase]] = field(default_factory=lambda: defaultdict(list))
    by_word: dict[str, tuple[Phrase, ...]] = field(default_factory=dict)

    def add(self, name: str, phrases: Iterable[str]) -> None:
        """Register phrases under a name."""
        for phrase in phrases:
            # YAML reads an unquoted "no" or "off" as false.
            if not isinstance(phrase, str) or not phrase.split():
                raise SpecError(
                    f"lexicon: {name}: {phrase!r} is not a phrase; quote words that YAML reads as something else"
                )
            # Texts are cut at hyphens too, so that "tonic-clonic" and "tonic clonic" are one phrase.
            words = tuple(phrase.replace("-", " ").split())
            self.by_stem[words[0][:_STEM]].append((words, name))
            # Cached lookups lack the new phrase.
            self.by_word.clear()

    def find(self, tokens: Tokens) -> list[PhraseMatch]:
        """Return every phrase in the text; of those of one name that begin at one word, the longest."""
        hits: list[PhraseMatch] = []
        for index, token in enumerate(tokens.items):
            phrases = self.by_word.get(token.text)
            if phrases is None:
                phrases = self.by_word[token.text] = self._beginning_with(token)
            if phrases and not token.is_mark:
                hits += self._at(tokens, index, phrases)
        return hits

    def _at(self, tokens: Tokens, index: int, phrases: Sequence[Phrase]) -> Iterator[PhraseMatch]:
        longest: dict[str, int] = {}
        for words, name in phrases:
            if len(words) > longest.get(name, 0) and _matches(words, tokens.items[index : index + len(words)]):
                longest[name] = len(words)
        for name, length in longest.items():
            yield PhraseMatch(name, index, index + length - 1)

    def _beginning_with(self, token: TextToken) -> tuple[Phrase, ...]:
        return tuple(p for p in self.by_stem.get(token.text[:_STEM], ()) if _is_word(p[0][0], token.text))


@dataclass(frozen=True, slots=True)
class Sign:
    """The ways to recognise one sign beside its outright names.

    ``attached`` are (part, motion) pairs, ``both_sides`` pairs that need both sides of the part, and ``qualified``
    (motion, qualifier) pairs: a shaking that is rhythmic.
    """

    attached: tuple[tuple[str, str], ...]
    both_sides: tuple[tuple[str, str], ...]
    qualified: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The vocabulary in searchable form: one :class:`PhraseIndex` per group of phrases that a text is searched for.

    ``signs`` are those of the benchmark's vocabulary, those ``beyond`` it, and ``movement``, which is no sign and only
    gives a side. With ``weighs_statements`` doubt, alternatives and contradictions get weights.
    """

    signs: Mapping[str, Sign]
    beyond: frozenset[str]
    movement: frozenset[str]
    weighs_statements: bool
    languages: frozenset[str]
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
    qualifiers: PhraseIndex
    doubt: PhraseIndex


# Cached: the file is read and compiled once per process.
@cached_per_vocabulary(maxsize=1)
def default_lexicon() -> Lexicon:
    """Return the benchmark's own lexicon, the newest."""
    return load_lexicon(specs_directory() / FILE)


@cached_per_vocabulary(maxsize=1)
def first_lexicon() -> Lexicon:
    """Return the frozen lexicon of ``strict-1`` and ``paper``."""
    return load_lexicon(specs_directory() / FIRST_FILE)


def load_lexicon(path: Path) -> Lexicon:
    """Read and compile a lexicon file; raises :class:`SpecError` naming what is missing or unknown."""
    document = read_document(path)
    data = document.data
    if data.get("schema") not in (FIRST_SCHEMA, SCHEMA):
        raise document.error(("schema",), f"expected {SCHEMA} or {FIRST_SCHEMA}, found {data.get('schema')!r}")
    groups = _GROUPS if data["schema"] == FIRST_SCHEMA else (*_GROUPS, *_GROUPS_OF_SECOND)
    for group in groups:
        if not isinstance(data.get(group), dict):
            raise document.error((group,), "a mapping of names to lists of phrases is expected")
    return _compile(_for_signs(data, vocabulary()), path)


def _for_signs(data: Mapping[str, Any], words: Vocabulary) -> Mapping[str, Any]:
    """Return a lexicon for a list of signs: a sign that the lexicon lacks is found by its name, title and synonyms."""
    if not words.is_own:
        return data
    ours = data["features"] | data.get("beyond", {})
    own = {
        feature.name: ours.get(feature.name, {"phrases": _phrases_of(feature.name, feature.title, feature.synonyms)})
        for feature in words.features
    }
    beyond = {name: entry for name, entry in data.get("beyond", {}).items() if name not in own}
    return {**data, "features": own, **({"beyond": beyond} if "beyond" in data else {})}


def _phrases_of(name: str, title: str, synonyms: Iterable[str]) -> list[str]:
    tokens = (tokenise(text).items for text in (name.replace("_", " "), title, *synonyms))
    words = (" ".join(token.text for token in items if not token.is_mark) for items in tokens)
    return list(dict.fromkeys(word for word in words if word))


def _compile(data: Mapping[str, Any], path: Path) -> Lexicon:
    entries: Mapping[str, Any] = {name: one for group in _SIGN_GROUPS for name, one in data.get(group, {}).items()}
    signs = {name: _sign(name, entry, data, path) for name, entry in entries.items()}
    plain = [group for group in (*_GROUPS, *_GROUPS_OF_SECOND) if group not in _SIGN_GROUPS]
    return Lexicon(
        signs=signs,
        beyond=frozenset(data.get("beyond", {})),
        movement=frozenset(data.get("movement", {})),
        weighs_statements=data["schema"] != FIRST_SCHEMA,
        languages=frozenset(data.get("languages", ())),
        phrases=_index({name: entry.get("phrases", ()) for name, entry in entries.items()}),
        exceptions=_index({name: entry.get("except", ()) for name, entry in entries.items()}),
        opposites=_index({name: entry.get("opposites", ()) for name, entry in entries.items()}),
        part_exceptions=_index({"not_a_part": data.get("part_exceptions", ())}),
        **{group: _index(data.get(group, {})) for group in plain},
    )


def _sign(name: str, entry: Mapping[str, Any], data: Mapping[str, Any], path: Path) -> Sign:
    pairs = {key: _pairs(entry, key) for key in ("attached", "both_sides", "qualified")}
    of_parts, of_motions = (*pairs["attached"], *pairs["both_sides"]), pairs["qualified"]
    # A pair with a misspelt name would never match, in silence.
    for part, motion in of_parts:
        if part not in data["parts"] or motion not in data["motions"]:
            raise SpecError(f"{path.name}: {name}: [{part}, {motion}] must be one of parts and one of motions")
    for motion, qualifier in of_motions:
        if motion not in data["motions"] or qualifier not in data["qualifiers"]:
            raise SpecError(f"{path.name}: {name}: [{motion}, {qualifier}] must be one of motions, one of qualifiers")
    return Sign(**pairs)


def _pairs(entry: Mapping[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(first), str(second)) for first, second in entry.get(key, ()))


def _index(groups: Mapping[str, Iterable[str]]) -> PhraseIndex:
    index = PhraseIndex()
    for name, phrases in groups.items():
        index.add(name, phrases)
    return index


def _matches(words: Sequence[str], tokens: Sequence[TextToken]) -> bool:
    return len(words) == len(tokens) and all(map(_word_matches, words, tokens))


def _word_matches(word: str, token: TextToken) -> bool:
    return not token.is_mark and _is_word(word, token.text)


def _is_word(word: str, text: str) -> bool:
    return text.startswith(word[:-1]) if word.endswith("*") else text == word
