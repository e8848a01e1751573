"""Elements that a sentence about a seizure states: signs, parts of the body, sides, quality, time, state.

Read by rules alone, from ``task_specs/lexicon.yaml`` and ``task_specs/rationale_lexicon.yaml``. An element is
``facet:value``, as ``side:left arm`` or ``quality:not rhythmic``. A denied element is an element of its own in the
facets where denial changes the meaning, and the same element in the others: "no movement of the left arm" is about the
left arm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import get_args

from s3harness.errors import SpecError
from s3harness.metrics.rqi.laterality import find_parts, find_sides
from s3harness.metrics.rqi.lexicon import Lexicon, PhraseIndex, default_lexicon
from s3harness.metrics.rqi.negation import denied_tokens
from s3harness.metrics.rqi.signs import find_signs
from s3harness.metrics.rqi.text import Tokens, tokenise
from s3harness.specs.document import read_document, specs_directory
from s3harness.specs.features import cached_per_vocabulary
from s3harness.types import Side

FILE = "rationale_lexicon.yaml"
SCHEMA = "s3harness/rationale_lexicon/v1"
FACETS = ("quality", "time", "state", "circumstance")
"""The facets of the file; those of ``lexicon.yaml`` are :data:`SHARED`."""
SHARED = ("sign", "part", "side")
_LONGEST_CACHED = 4_000
"""Characters of the texts whose elements are cached; a longer one is spam and comes once."""


@dataclass(frozen=True, slots=True)
class RationaleLexicon:
    """The phrases of each facet, searchable, and the facets in which a denial makes another element."""

    facets: Mapping[str, PhraseIndex]
    denied: Collection[str]


def statements(text: str) -> frozenset[str]:
    """Return the elements that a text in English states; empty for a text without any."""
    return _cached(text) if len(text) <= _LONGEST_CACHED else _read(text)


def load_rationale_lexicon(path: Path) -> RationaleLexicon:
    """Read the lexicon of rationales; raises :class:`SpecError` naming what is missing or unknown."""
    document = read_document(path)
    data = document.data
    if data.get("schema") != SCHEMA:
        raise document.error(("schema",), f"expected {SCHEMA}, found {data.get('schema')!r}")
    for facet in FACETS:
        if not isinstance(data.get(facet), dict):
            raise document.error((facet,), "a mapping of names to lists of phrases is expected")
    denied = data.get("denied")
    # Signs always distinguish denial; parts and sides never do: only the file's facets are a choice.
    if not isinstance(denied, list) or not set(denied) <= set(FACETS):
        raise document.error(("denied",), f"a list of facets is expected, of {', '.join(FACETS)}")
    return RationaleLexicon({facet: _index(data[facet], path) for facet in FACETS}, frozenset(denied))


@lru_cache(maxsize=1)
def _lexicon() -> RationaleLexicon:
    return load_rationale_lexicon(specs_directory() / FILE)


# Cached, as the true sentences are read for each answerer.
@cached_per_vocabulary(maxsize=65536)
def _cached(text: str) -> frozenset[str]:
    return _read(text)


def _read(text: str) -> frozenset[str]:
    # One tokenisation and one pass for denials, shared by all facets.
    tokens, shared = tokenise(text), default_lexicon()
    denied = denied_tokens(tokens, shared)
    return frozenset((*_phrases(tokens, _lexicon(), denied), *_signs(tokens, shared, denied), *_places(tokens, shared)))


def _phrases(tokens: Tokens, lexicon: RationaleLexicon, denied: Collection[int]) -> Iterator[str]:
    """Elements of the facets of the file."""
    for facet, index in lexicon.facets.items():
        for hit in index.find(tokens):
            is_denied = facet in lexicon.denied and hit.first in denied
            yield f"{facet}:{'not ' if is_denied else ''}{hit.name}"


def _signs(tokens: Tokens, lexicon: Lexicon, denied: Collection[int]) -> Iterator[str]:
    """Signs of the vocabulary, reported or denied."""
    for mention in find_signs(tokens, lexicon):
        yield f"sign:{'not ' if mention.index in denied else ''}{mention.feature}"


def _places(tokens: Tokens, lexicon: Lexicon) -> Iterator[str]:
    """Parts of the body, sides, and the parts with their sides."""
    sides = find_sides(tokens, lexicon)
    yield from (f"side:{mention.side}" for mention in sides)
    for part in find_parts(tokens, lexicon, sides):
        yield f"part:{part.part}"
        # The part with its side is a third element: "left" and "arm" may belong to different signs.
        if part.side in get_args(Side):
            yield f"side:{part.side} {part.part}"


def _index(groups: Mapping[str, object], path: Path) -> PhraseIndex:
    index = PhraseIndex()
    for name, phrases in groups.items():
        if not isinstance(phrases, list):
            raise SpecError(f"{path.name}: {name}: a list of phrases is expected")
        index.add(str(name), phrases)
    return index
