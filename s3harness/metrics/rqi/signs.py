"""Signs in a text: named outright, or described as a motion of a part of the body."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from s3harness.metrics.rqi.laterality import (
    PartMention,
    covered,
    find_parts,
    find_sides,
    free_sides,
    side_of_motion,
)
from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch
from s3harness.metrics.rqi.text import Tokens

_REACH_BACK = 9
"""Tokens between a motion and its part of the body before it."""
_REACH_ON = 7
"""Tokens between a motion and its part of the body after it."""
_REACH_OF_QUALIFIER = 5
"""Tokens between a motion and its qualifier."""
_LONGEST_GROUP = 8
"""Coordinated parts of the body that move together."""
_GOVERNS = frozenset(
    {
        "of",
        "the",
        "his",
        "her",
        "their",
        "both",
        "left",
        "right",
        "bilateral",
        "all",
        "in",
        "on",
        "at",
        "slightly",
        "patient's",
        "its",
        "my",
        "a",
        "one",
    }
)
_JOINING = frozenset(
    {"and", "or", "/", ",", "the", "his", "her", "their", "left", "right", "both", "bilateral", "of", "then"}
)
_BREAKS = frozenset({".", ";", ":", "!", "?", "\n", "with", "while", "but"})
_NOUNS = frozenset({"extension", "flexion"})
_ELLIPTIC = frozenset({"then", "later", "next", "subsequently", "eventually"})


@dataclass(frozen=True, slots=True)
class SignMention:
    """One mention of a sign: ``index`` is the token that decides its order and its denial."""

    feature: str
    index: int
    first: int
    last: int
    side: str = ""


@dataclass(frozen=True, slots=True)
class _Body:
    """The parts of the body in the text, their first tokens, and the tokens that end the reach of a motion."""

    parts: Sequence[PartMention]
    firsts: Sequence[int]
    barriers: Collection[int]


def find_signs(tokens: Tokens, lexicon: Lexicon) -> list[SignMention]:
    """Return every mention of a sign in the order of the text, denied ones included, with the patient's own side."""
    sides = find_sides(tokens, lexicon)
    parts = find_parts(tokens, lexicon, sides)
    free = free_sides(parts, sides)
    motions = lexicon.motions.find(tokens)
    mentions = [*_named(tokens, lexicon, parts, free), *_attached(tokens, lexicon, parts, motions, free)]
    mentions += _qualified(tokens, lexicon, parts, motions, free)
    excepted = _excepted(tokens, lexicon)
    # A set, as one place can give the same mention by its name and by its motion.
    distinct = {m for m in mentions if not any(i in excepted.get(m.feature, ()) for i in range(m.first, m.last + 1))}
    return sorted(distinct, key=lambda m: (m.index, m.first, m.feature, m.side, m.last))


def _named(
    tokens: Tokens, lexicon: Lexicon, parts: Sequence[PartMention], free: Mapping[int, str]
) -> Iterator[SignMention]:
    side_at = {i: part.side for part in parts if part.side for i in range(part.first, part.last + 1)}
    for hit in lexicon.phrases.find(tokens):
        inside = [side_at[i] for i in range(hit.first, hit.last + 1) if i in side_at]
        side = inside[0] if inside else side_of_motion(hit.first, hit.last, tokens, free)
        yield SignMention(hit.name, hit.first, hit.first, hit.last, side)


def _attached(
    tokens: Tokens,
    lexicon: Lexicon,
    parts: Sequence[PartMention],
    motions: Iterable[PhraseMatch],
    free: Mapping[int, str],
) -> Iterator[SignMention]:
    wanted = _wanted(lexicon)
    body = _Body(parts, [part.first for part in parts], _barriers(tokens, lexicon))
    for motion in motions:
        group = _parts_of(motion, tokens, body)
        # Without a part that moves the motion is no sign: no side is needed.
        own = side_of_motion(motion.first, motion.last, tokens, free) if group else ""
        for part in group:
            side = _side_of(part, motion, own)
            for feature, needs_both in wanted.get((part.part, motion.name), ()):
                if not needs_both or part.side == "both":
                    yield SignMention(
                        feature, motion.first, min(part.first, motion.first), max(part.last, motion.last), side
                    )


def _qualified(
    tokens: Tokens,
    lexicon: Lexicon,
    parts: Sequence[PartMention],
    motions: Iterable[PhraseMatch],
    free: Mapping[int, str],
) -> Iterator[SignMention]:
    """Signs from a motion and its qualifier ("rhythmic shaking"), on the side of the part that moves."""
    wanted = {pair: name for name, sign in lexicon.signs.items() for pair in sign.qualified}
    qualifiers = lexicon.qualifiers.find(tokens) if wanted else []
    # The first lexicon has no qualifiers, and most texts none either.
    if not qualifiers:
        return
    body = _Body(parts, [part.first for part in parts], _barriers(tokens, lexicon))
    firsts = [hit.first for hit in qualifiers]
    for motion in motions:
        low, high = motion.first - _REACH_OF_QUALIFIER, motion.last + _REACH_OF_QUALIFIER
        for qualifier in qualifiers[bisect_left(firsts, low) : bisect_left(firsts, high + 1)]:
            name = wanted.get((motion.name, qualifier.name))
            first, last = min(motion.first, qualifier.first), max(motion.last, qualifier.last)
            if name and not any(i in body.barriers for i in range(first, last)):
                own = side_of_motion(motion.first, motion.last, tokens, free)
                # A sign of several parts on different sides has no side of its own.
                sides = {_side_of(part, motion, own) for part in _parts_of(motion, tokens, body)} or {own}
                yield SignMention(name, motion.first, first, last, sides.pop() if len(sides) == 1 else "")


def _side_of(part: PartMention, motion: PhraseMatch, own: str) -> str:
    """Side of a motion: for head and eyes its direction; for a limb its own side, else the side beside the motion."""
    if part.part in {"head", "eyes"}:
        return part.side or own
    return part.side if part.side and motion.first < part.first else (own if own and not part.side else part.side)


def _parts_of(motion: PhraseMatch, tokens: Tokens, body: _Body) -> list[PartMention]:
    """Parts that move: those the motion governs ("extension of the left arm"), else the nearest before or after."""
    # By binary search, so that a long list of parts and motions takes linear time and not quadratic.
    place = bisect_left(body.firsts, motion.first)
    if place and body.parts[place - 1].last >= motion.first:
        return [body.parts[place - 1]]
    inside = place < len(body.parts) and body.parts[place].first <= motion.last
    if inside:
        return [body.parts[place]]
    after = body.parts[place] if place < len(body.parts) else None
    if after and _governs(motion, after, tokens):
        return _joined(place, body.parts, tokens, +1)
    if place and _within(body.parts[place - 1].last, _past_with(motion, tokens), body.barriers, _REACH_BACK):
        return _joined(place - 1, body.parts, tokens, -1)
    return [after] if after and _within(motion.last, after.first, body.barriers, _REACH_ON) else []


def _governs(motion: PhraseMatch, part: PartMention, tokens: Tokens) -> bool:
    gap = range(motion.last + 1, part.first)
    return len(gap) <= _REACH_ON and all(tokens.word(i) in _GOVERNS for i in gap)


def _past_with(motion: PhraseMatch, tokens: Tokens) -> int:
    """Token to search back from: past the "with" of "posturing of both arms with elevation and extension"."""
    links = [i for i in range(motion.first - 1, motion.first - 4, -1) if tokens.word(i) == "with"]
    return links[0] if links and tokens.word(motion.first) in _NOUNS else motion.first


def _within(first: int, last: int, barriers: Collection[int], reach: int) -> bool:
    between = range(first + 1, last)
    return len(between) <= reach and not any(i in barriers for i in between)


def _barriers(tokens: Tokens, lexicon: Lexicon) -> frozenset[int]:
    """Tokens that end the reach of a motion: sentence ends and temporal words, but for elliptic ones such as "then"."""
    # "The arm flexes, then extends": "then" may leave the part out, so that the motion reaches back across it.
    marks = {i for i, token in enumerate(tokens.items) if token.text in _BREAKS}
    cues = {hit.first for hit in lexicon.order.find(tokens) if hit.name in {"forward", "backward"}}
    return frozenset(marks | {i for i in cues if tokens.word(i) not in _ELLIPTIC})


def _joined(place: int, parts: Sequence[PartMention], tokens: Tokens, step: int) -> list[PartMention]:
    """A part and those coordinated with it: "arms and legs", "the head and eyes"."""
    group = [parts[place]]
    for position in range(place + step, place + step * _LONGEST_GROUP, step):
        if not 0 <= position < len(parts):
            break
        low, high = sorted((group[-1], parts[position]), key=lambda p: p.first)
        if not all(tokens.word(i) in _JOINING for i in range(low.last + 1, high.first)):
            break
        group.append(parts[position])
    return group


def _wanted(lexicon: Lexicon) -> dict[tuple[str, str], list[tuple[str, bool]]]:
    table: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for feature, sign in lexicon.signs.items():
        for needs_both, pairs in ((False, sign.attached), (True, sign.both_sides)):
            for pair in pairs:
                table.setdefault(pair, []).append((feature, needs_both))
    return table


def _excepted(tokens: Tokens, lexicon: Lexicon) -> dict[str, set[int]]:
    places: dict[str, set[int]] = {}
    for hit in lexicon.exceptions.find(tokens):
        places.setdefault(hit.name, set()).update(covered([hit]))
    return places
