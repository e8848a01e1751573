"""When each sign happened, from the order of mention and the words that change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from s3harness.metrics.rqi.lexicon import Hit, Lexicon
from s3harness.metrics.rqi.signs import SignMention
from s3harness.metrics.rqi.text import Tokens

_CLAUSE_MARKS = frozenset({",", "(", ")"})
_FIRST, _MIDDLE, _LAST = -1, 0, 1
_BEFORE = frozenset({"before", "prior", "by"})


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A place in the story: first things, the sentence, the clause within it."""

    phase: int
    sentence: float
    clause: int


def moments(tokens: Tokens, lexicon: Lexicon) -> list[Moment]:
    """The moment each token tells of.

    Clauses end at commas and at temporal words. "B after A", "B following A" and "B preceded by A" put A first, "before
    A, B" puts B first, "A, B seconds earlier" and "A. Before that B" too, "at onset" goes to the beginning of the story
    and "finally" to its end. Clauses joined by "with", "while" or "and" are one moment.
    """
    cues = _cues(tokens, lexicon)
    story: list[Moment] = []
    place, looked_back = -1.0, 0
    for start, stop in _sentence_spans(tokens):
        clauses = _clauses(start, stop, tokens, cues)
        ranks = _ranks(clauses, tokens, cues)
        looked_back = looked_back + 1 if story and _is_earlier(*clauses[0], cues) else 0
        place = place - 0.5**looked_back if looked_back else float(tokens.sentence[start])
        for number, (first, last) in enumerate(clauses):
            story += [Moment(_phase(first, last, cues), place, ranks[number])] * (last - first)
    return story


def in_order(mentions: Iterable[SignMention], story: Sequence[Moment]) -> list[tuple[SignMention, Moment]]:
    """The first mention in time of each sign, in order of time; within one moment in order of mention."""
    placed = sorted(((m, story[m.index]) for m in mentions), key=lambda pair: (pair[1], pair[0].index))
    seen: set[str] = set()
    return [(m, moment) for m, moment in placed if not (m.feature in seen or seen.add(m.feature))]  # type: ignore[func-returns-value]


def steps(ordered: Iterable[tuple[SignMention, Moment]]) -> tuple[int, ...]:
    """One number per event, equal for events of one moment."""
    numbers: list[int] = []
    previous: Moment | None = None
    for _, moment in ordered:
        numbers.append(numbers[-1] + (moment != previous) if numbers else 0)
        previous = moment
    return tuple(numbers)


def _cues(tokens: Tokens, lexicon: Lexicon) -> dict[int, Hit]:
    """Temporal cues by first token: the longest wins, and one that keeps the order hides the backward cue in it."""
    cues: dict[int, Hit] = {}
    for hit in lexicon.order.find(tokens):
        known = cues.get(hit.first)
        if hit.name != "together" and (
            known is None or hit.last > known.last or (hit.last == known.last and hit.name == "keeps")
        ):
            cues[hit.first] = hit
    inner = {i for hit in cues.values() for i in range(hit.first + 1, hit.last + 1)}
    return {i: hit for i, hit in cues.items() if i not in inner}


def _sentence_spans(tokens: Tokens) -> list[tuple[int, int]]:
    starts = [i for i in range(len(tokens)) if i == 0 or tokens.sentence[i] != tokens.sentence[i - 1]]
    return list(zip(starts, [*starts[1:], len(tokens)], strict=True)) if tokens else []


def _clauses(start: int, stop: int, tokens: Tokens, cues: Mapping[int, Hit]) -> list[tuple[int, int]]:
    cuts = [
        i
        for i in range(start + 1, stop)
        if tokens.word(i) in _CLAUSE_MARKS or (i in cues and cues[i].name in {"forward", "backward", "keeps"})
    ]
    edges = [start, *cuts, stop]
    return [(a, b) for a, b in pairwise(edges) if a < b]


def _ranks(clauses: Sequence[tuple[int, int]], tokens: Tokens, cues: Mapping[int, Hit]) -> list[int]:
    """The place of each clause in time within its sentence."""
    places = [float(number) for number in range(len(clauses))]
    for number, (first, last) in enumerate(clauses):
        cue = cues.get(first)
        if number and (_is_earlier(first, last, cues) or (cue and cue.name == "backward")):
            places[number] = places[_anchor(number, clauses)] - 0.5
        elif cue and cue.name == "forward" and number == 0 and tokens.word(first) in _BEFORE and len(clauses) > 1:
            places[0] = 1.5
    ranks = {place: rank for rank, place in enumerate(sorted(set(places)))}
    return [ranks[place] for place in places]


def _is_earlier(first: int, last: int, cues: Mapping[int, Hit]) -> bool:
    """Whether a clause says that it came before what was told before it."""
    return any(i in cues and cues[i].name == "earlier" for i in range(first, last))


def _anchor(number: int, clauses: Sequence[tuple[int, int]]) -> int:
    """The clause that "after" looks back to: the one before the cue, past an empty comma clause."""
    anchor = number - 1
    while anchor > 0 and clauses[anchor][1] - clauses[anchor][0] <= 1:
        anchor -= 1
    return anchor


def _phase(first: int, last: int, cues: Mapping[int, Hit]) -> int:
    names = {cues[i].name for i in range(first, last) if i in cues}
    return _FIRST if "first" in names else (_LAST if "last" in names else _MIDDLE)
