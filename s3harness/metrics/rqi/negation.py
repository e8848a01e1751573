"""What a report says was absent. A small ConText (Harkema et al. 2009): triggers, their reach, and what ends it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from s3harness.metrics.rqi.laterality import covered
from s3harness.metrics.rqi.lexicon import Hit, Lexicon
from s3harness.metrics.rqi.signs import SignMention
from s3harness.metrics.rqi.text import Tokens

_LONGEST_LIST = 60
_LONGEST_SHORT = 7
_SUBJECTS = frozenset({"the", "his", "her", "he", "she", "they", "there", "patient"})
_LINKS = frozenset(
    {"of", "in", "to", "by", "from", "on", "at", "for", "over", "across", "and", "or", "nor", ",", "the"}
)
_SENTENCE_ENDS = frozenset({".", ";", "!", "?", "\n"})


def denied_tokens(tokens: Tokens, lexicon: Lexicon) -> frozenset[int]:
    """The indexes of the tokens that lie in the reach of a denial.

    "No tonic stiffening, clonic jerks or automatisms" denies the whole list; "clonic jerks are not seen" what stands
    before; "not responding and begins to jerk" ends at "and begins".
    """
    hits = lexicon.negation.find(tokens)
    pseudo = covered(hit for hit in hits if hit.name == "pseudo")
    stops = {hit.first for hit in hits if hit.name == "stop"}
    fresh = {hit.first for hit in hits if hit.name == "fresh"}
    verbs = {hit.first for hit in hits if hit.name == "verbs"}
    denied: set[int] = set()
    for hit in hits:
        if hit.first in pseudo:
            continue
        if hit.name == "before":
            denied.update(_forward(hit, tokens, stops, fresh, _LONGEST_LIST, through_commas=True))
        elif hit.name == "short":
            denied.update(_forward(hit, tokens, stops, fresh, _LONGEST_SHORT, through_commas=False))
        elif hit.name == "after":
            denied.update(_backward(hit, tokens, stops, verbs))
    return frozenset(denied)


def denied_signs(
    tokens: Tokens, lexicon: Lexicon, mentions: Iterable[SignMention], denied: Collection[int]
) -> set[str]:
    """The signs that are denied somewhere, by a denial or by their opposite ("awake")."""
    opposites = {hit.name for hit in lexicon.opposites.find(tokens) if hit.first not in denied}
    return opposites | {mention.feature for mention in mentions if mention.index in denied}


def _forward(
    hit: Hit, tokens: Tokens, stops: set[int], fresh: set[int], longest: int, *, through_commas: bool
) -> Iterator[int]:
    for i in range(hit.last + 1, min(len(tokens), hit.last + 1 + longest)):
        word = tokens.word(i)
        if word in _SENTENCE_ENDS or i in stops:
            return
        if word == "," and (not through_commas or _begins_anew(i + 1, tokens, fresh)):
            return
        if word == "and" and (not through_commas or i + 1 in fresh):
            return
        if i > hit.last + 1 and word in _SUBJECTS and tokens.word(i - 1) not in _LINKS:
            return
        yield i


def _begins_anew(index: int, tokens: Tokens, fresh: set[int]) -> bool:
    if tokens.word(index) == "and":
        index += 1
    return index in fresh


def _backward(hit: Hit, tokens: Tokens, stops: set[int], verbs: set[int]) -> Iterator[int]:
    start = hit.first - 1
    while start >= 0 and start in verbs:
        start -= 1
    for i in range(start, max(-1, start - _LONGEST_LIST), -1):
        if tokens.word(i) in _SENTENCE_ENDS or i in stops or i in verbs:
            return
        yield i
