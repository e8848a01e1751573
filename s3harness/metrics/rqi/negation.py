"""Negation in reports: a small ConText (Harkema et al. 2009) of triggers, their scope, and the words that end it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from s3harness.metrics.rqi.laterality import covered
from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch
from s3harness.metrics.rqi.signs import SignMention
from s3harness.metrics.rqi.text import Tokens

_LONGEST_LIST = 400
"""Tokens in the scope of a denial at most: more than a list of the whole vocabulary has."""
_LONGEST_OF_FIRST = 60
"""The same in the first version of the rules; a list of the whole vocabulary is longer."""
_LONGEST_SHORT = 7
"""Tokens in the scope of triggers that deny a few words only."""
_SUBJECTS = frozenset({"the", "his", "her", "he", "she", "they", "there", "patient"})
_LINKS = frozenset(
    {"of", "in", "to", "by", "from", "on", "at", "for", "over", "across", "and", "or", "nor", ",", "the"}
)
_SENTENCE_ENDS = frozenset({".", ";", "!", "?", "\n"})


@dataclass(frozen=True, slots=True)
class Reach:
    """The scope of words that deny or doubt, in one text.

    ``stops`` end it, ``fresh`` words begin a new statement, and it has no more than ``longest`` tokens.
    """

    tokens: Tokens
    stops: frozenset[int]
    fresh: frozenset[int]
    verbs: frozenset[int]
    longest: int

    def forward(self, hit: PhraseMatch, longest: int | None = None, *, through_commas: bool = True) -> Iterator[int]:
        """Yield the indexes of the tokens after a phrase in its scope, through a list if there is one."""
        for i in range(hit.last + 1, min(len(self.tokens), hit.last + 1 + (longest or self.longest))):
            word = self.tokens.word(i)
            if word in _SENTENCE_ENDS or i in self.stops:
                return
            if word == "," and (not through_commas or self._begins_anew(i + 1)):
                return
            # "No jerking and begins to walk": a fresh verb after "and" starts a statement of its own.
            if word == "and" and (not through_commas or i + 1 in self.fresh):
                return
            # A new subject begins a new statement: "no jerking the patient stares".
            if i > hit.last + 1 and word in _SUBJECTS and self.tokens.word(i - 1) not in _LINKS:
                return
            yield i

    def backward(self, hit: PhraseMatch) -> Iterator[int]:
        """Yield the indexes of the tokens before a phrase in its scope."""
        start = hit.first - 1
        # "Jerks are | not seen": the verb before the trigger belongs to the denial.
        while start >= 0 and start in self.verbs:
            start -= 1
        for i in range(start, max(-1, start - self.longest), -1):
            if self.tokens.word(i) in _SENTENCE_ENDS or i in self.stops or i in self.verbs:
                return
            yield i

    def _begins_anew(self, index: int) -> bool:
        return index + (self.tokens.word(index) == "and") in self.fresh


def reach_of(tokens: Tokens, lexicon: Lexicon) -> Reach:
    """Return the scope of words in a text, from the words of the lexicon that end it."""
    hits = lexicon.negation.find(tokens)
    first = {name: frozenset(hit.first for hit in hits if hit.name == name) for name in ("stop", "fresh", "verbs")}
    longest = _LONGEST_LIST if lexicon.weighs_statements else _LONGEST_OF_FIRST
    return Reach(tokens, first["stop"], first["fresh"], first["verbs"], longest)


def denied_tokens(tokens: Tokens, lexicon: Lexicon) -> frozenset[int]:
    """Return the indexes of the tokens in the scope of a denial.

    "No tonic stiffening, clonic jerks or automatisms" denies the whole list; "clonic jerks are not seen" the words
    before it; the scope of "not responding and begins to jerk" ends at "and begins".
    """
    hits = lexicon.negation.find(tokens)
    pseudo = covered(hit for hit in hits if hit.name == "pseudo")
    reach = reach_of(tokens, lexicon)
    denied: set[int] = set()
    for hit in hits:
        # "No doubt" and "not only" look like denials and are none.
        if hit.first in pseudo:
            continue
        if hit.name == "before":
            denied.update(reach.forward(hit))
        elif hit.name == "short":
            denied.update(reach.forward(hit, _LONGEST_SHORT, through_commas=False))
        elif hit.name == "after":
            denied.update(reach.backward(hit))
    return frozenset(denied)


def denied_signs(
    tokens: Tokens, lexicon: Lexicon, mentions: Iterable[SignMention], denied: Collection[int]
) -> set[str]:
    """Return the signs that are denied somewhere, by a denial or by their opposite ("awake")."""
    opposites = {hit.name for hit in lexicon.opposites.find(tokens) if hit.first not in denied}
    return opposites | {mention.feature for mention in mentions if mention.index in denied}
