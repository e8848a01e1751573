"""Temporal order of the signs of a report, from the order of mention and the words that change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch
from s3harness.metrics.rqi.signs import SignMention
from s3harness.metrics.rqi.text import Tokens

_CLAUSE_MARKS = frozenset({",", "(", ")"})
_FIRST, _MIDDLE, _LAST = -1, 0, 1
_BEFORE = frozenset({"before", "prior", "by"})


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A place in the timeline: phase (beginning, middle, end), sentence, and clause within it."""

    phase: int
    sentence: float
    clause: int


def moments(tokens: Tokens, lexicon: Lexicon) -> list[Moment]:
    """Return the moment of each token.

    Clauses end at commas and at temporal words. "B after A", "B following A" and "B preceded by A" put A first, "before
    A, B" puts B first, "A, B seconds earlier" and "A. Before that B" too, "at onset" goes to the beginning of the
    timeline and "finally" to its end. Clauses joined by "with", "while" or "and" are one moment.
    """
    cues = _cues(tokens, lexicon)
    timeline: list[Moment] = []
    place, looked_back = -1.0, 0
    for start, stop in _sentence_spans(tokens):
        clauses = _clauses(start, stop, tokens, cues)
        ranks = _ranks(clauses, tokens, cues)
        looked_back = looked_back + 1 if timeline and _is_earlier(*clauses[0], cues) else 0
        # "Before that" steps back by a half, a quarter …, so that it stays after the sentence before last.
        place = place - 0.5**looked_back if looked_back else float(tokens.sentence[start])
        for number, (first, last) in enumerate(clauses):
            timeline += [Moment(_phase(first, last, cues), place, ranks[number])] * (last - first)
    return timeline


def in_order(mentions: Iterable[SignMention], timeline: Sequence[Moment]) -> list[tuple[SignMention, Moment]]:
    """Return the first mention in time of each sign, in order of time; within one moment in order of mention."""
    placed = sorted(((m, timeline[m.index]) for m in mentions), key=lambda pair: (pair[1], pair[0].index))
    first: dict[str, tuple[SignMention, Moment]] = {}
    for mention, moment in placed:
        first.setdefault(mention.feature, (mention, moment))
    return list(first.values())


def steps(ordered: Iterable[tuple[SignMention, Moment]]) -> tuple[int, ...]:
    """Return one number per event, equal for events of one moment."""
    numbers: list[int] = []
    previous: Moment | None = None
    for _, moment in ordered:
        numbers.append(numbers[-1] + (moment != previous) if numbers else 0)
        previous = moment
    return tuple(numbers)


def _cues(tokens: Tokens, lexicon: Lexicon) -> dict[int, PhraseMatch]:
    """Temporal cues by first token: the longest wins, and a cue that keeps the order hides the backward cue in it."""
    cues: dict[int, PhraseMatch] = {}
    for hit in lexicon.order.find(tokens):
        current = cues.get(hit.first)
        if hit.name != "together" and (
            current is None or hit.last > current.last or (hit.last == current.last and hit.name == "keeps")
        ):
            cues[hit.first] = hit
    # "Immediately after" is one cue: the "after" in it must not count again.
    inner = {i for hit in cues.values() for i in range(hit.first + 1, hit.last + 1)}
    return {i: hit for i, hit in cues.items() if i not in inner}


def _sentence_spans(tokens: Tokens) -> list[tuple[int, int]]:
    starts = [i for i in range(len(tokens)) if i == 0 or tokens.sentence[i] != tokens.sentence[i - 1]]
    return list(zip(starts, [*starts[1:], len(tokens)], strict=True)) if tokens else []


def _clauses(start: int, stop: int, tokens: Tokens, cues: Mapping[int, PhraseMatch]) -> list[tuple[int, int]]:
    cuts = [
        i
        for i in range(start + 1, stop)
        if tokens.word(i) in _CLAUSE_MARKS or (i in cues and cues[i].name in {"forward", "backward", "keeps"})
    ]
    edges = [start, *cuts, stop]
    return [(a, b) for a, b in pairwise(edges) if a < b]


def _ranks(clauses: Sequence[tuple[int, int]], tokens: Tokens, cues: Mapping[int, PhraseMatch]) -> list[int]:
    """Rank of each clause in time within its sentence."""
    places = [float(number) for number in range(len(clauses))]
    for number, (first, last) in enumerate(clauses):
        cue = cues.get(first)
        if number and (_is_earlier(first, last, cues) or (cue and cue.name == "backward")):
            places[number] = places[_anchor(number, clauses)] - 0.5
        # "Before A, B": the opening clause moves behind the one that follows it.
        elif cue and cue.name == "forward" and number == 0 and tokens.word(first) in _BEFORE and len(clauses) > 1:
            places[0] = 1.5
    ranks = {place: rank for rank, place in enumerate(sorted(set(places)))}
    return [ranks[place] for place in places]


def _is_earlier(first: int, last: int, cues: Mapping[int, PhraseMatch]) -> bool:
    """Return whether a clause is dated before the text before it: "A, B seconds earlier"."""
    return any(i in cues and cues[i].name == "earlier" for i in range(first, last))


def _anchor(number: int, clauses: Sequence[tuple[int, int]]) -> int:
    """Clause that "after" refers to: the one before the cue, past an empty comma clause."""
    anchor = number - 1
    # A clause of one token is the comma itself.
    while anchor > 0 and clauses[anchor][1] - clauses[anchor][0] <= 1:
        anchor -= 1
    return anchor


def _phase(first: int, last: int, cues: Mapping[int, PhraseMatch]) -> int:
    names = {cues[i].name for i in range(first, last) if i in cues}
    return _FIRST if "first" in names else (_LAST if "last" in names else _MIDDLE)
