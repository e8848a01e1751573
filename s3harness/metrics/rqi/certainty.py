"""Weights of the statements of a report: signs that are hedged, offered as alternatives, or both asserted and denied.

A hedged sign counts :data:`HEDGED`, one of n alternatives 1 / n, a sign that another sentence denies :data:`DISPUTED`.
A sign that is asserted and denied in one sentence counts for neither. Weights of one mention multiply; a sign has the
weight of its surest mention. The scope of a hedge is that of a denial (:mod:`.negation`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from s3harness.metrics.rqi.laterality import covered
from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch
from s3harness.metrics.rqi.negation import Reach, reach_of
from s3harness.metrics.rqi.signs import SignMention
from s3harness.metrics.rqi.text import Tokens

HEDGED = 0.5
DISPUTED = 0.5
_LONGEST_LIST = 80
"""Tokens before an "or" that are read."""
_LONGEST_REST = 400
"""Tokens of the rest of a sentence that "in some episodes" hedges; bounds the time for a text without full stops."""
_JOINS_ALTERNATIVES = frozenset({",", "or"})
_ENDS_ALTERNATIVES = frozenset({".", ";", ":", "!", "?", "\n", "and", "with", "then", "while", "but"})


@dataclass(frozen=True, slots=True)
class StatementWeights:
    """The weight in 0–1 of each mention that counts less than 1, and the signs asserted and denied in one sentence."""

    mentions: Mapping[SignMention, float] = field(default_factory=dict)
    surest: Mapping[str, float] = field(default_factory=dict)
    contradicted: frozenset[str] = frozenset()

    def of(self, mention: SignMention) -> float:
        """Return the weight of one mention."""
        return self.mentions.get(mention, 1.0)

    def of_signs(self, signs: Collection[str]) -> dict[str, float]:
        """Return the weight of each of these signs that counts less than 1."""
        return {sign: weight for sign, weight in self.surest.items() if sign in signs and weight < 1}


def weigh(
    mentions: Sequence[SignMention], denied: Collection[int], tokens: Tokens, lexicon: Lexicon
) -> StatementWeights:
    """Weigh every mention of a sign that is not denied."""
    asserted = [mention for mention in mentions if mention.index not in denied]
    denials = [mention for mention in mentions if mention.index in denied]
    hedged, shares = _hedged_tokens(tokens, lexicon), _shares_of_alternatives(asserted, tokens)
    clashes = _clashes(asserted, denials, tokens, lexicon)
    weights: dict[SignMention, float] = {}
    surest: defaultdict[str, float] = defaultdict(float)
    for mention in asserted:
        weight = shares.get((mention.index, mention.feature), 1.0) * clashes.get(mention, 1.0)
        weight *= HEDGED if mention.index in hedged else 1.0
        weights[mention] = weight
        # The surest mention counts: a later hedge does not take back a plain statement.
        surest[mention.feature] = max(surest[mention.feature], weight)
    contradicted = frozenset(sign for sign, weight in surest.items() if weight == 0)
    return StatementWeights({m: weight for m, weight in weights.items() if weight < 1}, surest, contradicted)


def _hedged_tokens(tokens: Tokens, lexicon: Lexicon) -> frozenset[int]:
    """Indexes of the tokens that words of doubt hedge: "possible X or Y", "X may be seen", "X in some episodes"."""
    hits = lexicon.doubt.find(tokens)
    pseudo = covered(hit for hit in hits if hit.name == "pseudo")
    reach = reach_of(tokens, lexicon)
    hedged: set[int] = set()
    for hit in hits:
        # "As far as possible" and "could be heard" hold a word of doubt and doubt nothing.
        if hit.first in pseudo:
            continue
        if hit.name == "before":
            hedged.update(reach.forward(hit), range(hit.first, hit.last + 1))
        elif hit.name == "after":
            hedged.update(reach.backward(hit))
        elif hit.name == "after_clause" or (hit.name == "episodes" and _ends_clause(hit, tokens)):
            hedged.update(_clause_before(hit.first, tokens, reach))
        elif hit.name == "episodes":
            hedged.update(_rest_of_sentence(hit.last, tokens))
    return frozenset(hedged)


def _ends_clause(hit: PhraseMatch, tokens: Tokens) -> bool:
    """Return whether a phrase ends its clause ("the arm flexes in some episodes,") and does not open it."""
    begins = hit.first == 0 or tokens.items[hit.first - 1].is_mark
    return not begins and (hit.last + 1 == len(tokens) or tokens.items[hit.last + 1].is_mark)


def _rest_of_sentence(index: int, tokens: Tokens) -> Iterable[int]:
    number = tokens.sentence[index]
    end = min(len(tokens), index + 1 + _LONGEST_REST)
    return takewhile(lambda i: tokens.sentence[i] == number, range(index + 1, end))


def _clause_before(index: int, tokens: Tokens, reach: Reach) -> Iterable[int]:
    for i in range(index - 1, -1, -1):
        if tokens.items[i].is_mark or i in reach.stops:
            return
        yield i


def _shares_of_alternatives(asserted: Sequence[SignMention], tokens: Tokens) -> dict[tuple[int, str], float]:
    """(Token index, sign) of a mention → the share of the different alternatives ("X or Y") that name the sign.

    "Tonic-clonic or clonic jerks" gives clonic the share 1 and tonic 1/2.
    """
    signs_of: defaultdict[int, set[str]] = defaultdict(set)
    places_of: defaultdict[int, set[int]] = defaultdict(set)
    segments = _segments(tokens)
    for mention in asserted:
        signs_of[segments[mention.index]].add(mention.feature)
        places_of[segments[mention.index]].add(mention.index)
    shares: dict[tuple[int, str], float] = {}
    for i in (i for i, token in enumerate(tokens.items) if token.text == "or"):
        group = _alternatives(i, segments, tokens, signs_of)
        # "Jerking or clonic movements" are two names of one sign and no alternatives.
        different = {frozenset(signs_of[segment]) for segment in group}
        if len(different) > 1:
            for segment in group:
                for sign in signs_of[segment]:
                    share = sum(sign in signs for signs in different) / len(different)
                    shares.update({(place, sign): share for place in places_of[segment]})
    return shares


def _segments(tokens: Tokens) -> list[int]:
    """Token → the number of its segment: the text between commas, "or" and the words that end a list."""
    number, numbers = 0, []
    for token in tokens.items:
        is_border = token.text in _JOINS_ALTERNATIVES or token.text in _ENDS_ALTERNATIVES
        # A border is a segment of its own, so that the segments on its sides differ by two.
        number += is_border
        numbers.append(number)
        number += is_border
    return numbers


def _alternatives(
    index: int, segments: Sequence[int], tokens: Tokens, signs_of: Mapping[int, Collection[str]]
) -> list[int]:
    """Segments that the "or" at ``index`` joins: one on either side, and those of a list before it."""
    after = segments[index] + 1
    if after not in signs_of:
        return []
    group: list[int] = []
    for i in range(index, max(-1, index - _LONGEST_LIST), -1):
        if tokens.word(i) in _ENDS_ALTERNATIVES:
            break
        if segments[i] in signs_of and segments[i] not in group:
            group.append(segments[i])
        # A segment without a sign ends the list: what stands before it is no alternative.
        elif group and segments[i] < group[-1] - 2:
            break
    return [*group, after] if group else []


def _clashes(
    asserted: Sequence[SignMention], denials: Sequence[SignMention], tokens: Tokens, lexicon: Lexicon
) -> dict[SignMention, float]:
    """Mention of a sign that the report also denies → 0 in the same sentence, else :data:`DISPUTED`.

    A word of change ("then", "no longer", "later") beside either makes the denial one of another moment.
    """
    if not denials:
        return {}
    changes = {hit.first for hit in lexicon.order.find(tokens) if hit.name != "together"}
    changes |= {hit.first for hit in lexicon.doubt.find(tokens) if hit.name == "change"}
    changing, borders = {tokens.sentence[i] for i in changes}, sorted(changes)
    denied_at: defaultdict[str, list[int]] = defaultdict(list)
    for index, sign in sorted({(denial.index, denial.feature) for denial in denials}):
        denied_at[sign].append(index)
    settled = {sign: {tokens.sentence[i] for i in indexes} - changing for sign, indexes in denied_at.items()}
    clashes: dict[SignMention, float] = {}
    for mention in asserted:
        indexes = denied_at.get(mention.feature, [])
        place = bisect_left(indexes, mention.index)
        # Only the nearest denial on either side can be in the same sentence: time stays linear.
        nearest = indexes[max(0, place - 1) : place + 1]
        if any(_is_same_statement(mention.index, index, tokens, borders) for index in nearest):
            clashes[mention] = 0.0
        elif tokens.sentence[mention.index] not in changing and settled.get(mention.feature):
            clashes[mention] = DISPUTED
    return clashes


def _is_same_statement(asserted: int, denied: int, tokens: Tokens, changes: Sequence[int]) -> bool:
    """Return whether two tokens are in one sentence without a word of change between; ``changes`` ascend."""
    first, last = sorted((asserted, denied))
    return tokens.sentence[first] == tokens.sentence[last] and bisect_left(changes, first) == bisect_left(changes, last)
