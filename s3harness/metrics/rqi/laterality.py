"""Sides in a report, always as the patient's own left and right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch
from s3harness.metrics.rqi.text import Tokens

OPPOSITE = {"left": "right", "right": "left"}
VIEWER = frozenset({"viewer_before", "viewer_after"})
"""The phrases that name a side from the camera's place."""

_SIDES = {"left", "right", "both"}
_REACH_TO_PART = 4
"""Tokens between a side and its part of the body."""
_JOINTS = frozenset({"and", "or", "/"})
_CLAUSE_ENDS = frozenset(
    {",", ".", ";", ":", "!", "?", "\n", "with", "while", "then", "followed", "but", "before", "after"}
)


@dataclass(frozen=True, slots=True)
class SideMention:
    """One word of the text that gives a side, the camera's side already turned into the patient's."""

    side: str
    index: int


@dataclass(frozen=True, slots=True)
class PartMention:
    """A part of the body in the text, with the side written before it ("left or right" is ``both``)."""

    part: str
    first: int
    last: int
    side: str = ""
    side_indexes: tuple[int, ...] = ()


def find_sides(tokens: Tokens, lexicon: Lexicon) -> list[SideMention]:
    """Return every left, right and both. "The camera's left" and "left of the screen" mean the patient's right."""
    hits = lexicon.laterality.find(tokens)
    pictured = {hit.first for hit in hits if hit.name == "viewer_after"}
    # "Left the room" and "right away" are no sides, unless "of the screen" follows.
    masked = covered(hit for hit in hits if hit.name == "not_a_side" and hit.last + 1 not in pictured)
    viewers = _viewers(hits, tokens)
    sides = {hit.first: hit.name for hit in hits if hit.name in _SIDES and hit.first not in masked}
    return [SideMention(OPPOSITE.get(side, side) if i in viewers else side, i) for i, side in sorted(sides.items())]


def find_parts(tokens: Tokens, lexicon: Lexicon, sides: Sequence[SideMention]) -> list[PartMention]:
    """Return every part of the body, in order, with its own side: "right upper extremity", "RUE", "both arms"."""
    masked = covered(lexicon.part_exceptions.find(tokens))
    by_index = {mention.index: mention.side for mention in sides}
    longest: dict[int, PhraseMatch] = {}
    for hit in lexicon.parts.find(tokens):
        if hit.first not in masked and hit.last > longest.get(hit.first, PhraseMatch("", 0, -1)).last:
            longest[hit.first] = hit
    parts: list[PartMention] = []
    for hit in longest.values():
        # "Upper arm" covers "arm": a part that begins within another is the same part.
        if not parts or hit.first > parts[-1].last:
            side, indexes = _own_side(hit, tokens, by_index)
            parts.append(PartMention(hit.name, hit.first, hit.last, side, indexes))
    return parts


def free_sides(parts: Sequence[PartMention], sides: Sequence[SideMention]) -> dict[int, str]:
    """Return sides that belong to no part, by token: "to the left", "right" in "left arm flexion, right extension"."""
    owned = {i for part in parts for i in part.side_indexes}
    return {mention.index: mention.side for mention in sides if mention.index not in owned}


def side_of_motion(first: int, last: int, tokens: Tokens, free: Mapping[int, str]) -> str:
    """Return the free side of a motion: "leftward" right before it, else "to the left" after it, else ""."""
    before, _ = _run_of_sides(range(first - 1, first - 4, -1), tokens, free)
    return before or _run_of_sides(range(last + 1, last + 8), tokens, free)[0]


def covered(hits: Iterable[PhraseMatch]) -> set[int]:
    """Return the token indexes that matches cover."""
    return {i for hit in hits for i in range(hit.first, hit.last + 1)}


def _own_side(part: PhraseMatch, tokens: Tokens, sides: Mapping[int, str]) -> tuple[str, tuple[int, ...]]:
    inside = [i for i in range(part.first, part.last + 1) if i in sides]
    # "RUE" and "right upper extremity" hold their side within the name.
    if inside:
        return sides[inside[0]], tuple(inside)
    side, indexes = _run_of_sides(range(part.first - 1, part.first - 1 - _REACH_TO_PART, -1), tokens, sides)
    if not side and tokens.word(part.last + 1) == "on":
        return _run_of_sides(range(part.last + 2, part.last + 5), tokens, sides)
    # "Turns to the left and the right arm flexes": the farther side is a direction, not one of both arms.
    if len(indexes) > 1 and _is_direction(indexes[-1], tokens):
        return sides[indexes[0]], indexes[:1]
    return side, indexes


def _is_direction(index: int, tokens: Tokens) -> bool:
    """Return whether a side is the direction of a movement, as in "turns to the left and the right arm flexes"."""
    return "to" in {tokens.word(index - 1).removesuffix("wards"), tokens.word(index - 2).removesuffix("wards")}


def _run_of_sides(indexes: Iterable[int], tokens: Tokens, sides: Mapping[int, str]) -> tuple[str, tuple[int, ...]]:
    """The first side, or ``both`` where another is joined to it by "and", "or" or "/", and the indexes of both."""
    run: list[int] = []
    for i in indexes:
        word = tokens.word(i)
        if i in sides:
            run.append(i)
        # Before the first side any word but a joint may stand, after it nothing but a joint.
        elif not word or word in _CLAUSE_ENDS or (word in _JOINTS) != bool(run):
            break
    names = {sides[i] for i in run}
    return ("both" if len(names) > 1 else next(iter(names), "")), tuple(run)


def _viewers(hits: Iterable[PhraseMatch], tokens: Tokens) -> set[int]:
    """Indexes at which a side is that of the camera: after "camera", before "of the screen"."""
    places: set[int] = set()
    for hit in hits:
        if hit.name == "viewer_before":
            places.add(hit.last + 1)
        elif hit.name == "viewer_after":
            back = takewhile(
                lambda i: tokens.word(i) not in _CLAUSE_ENDS, range(hit.first - 1, hit.first - 1 - _REACH_TO_PART, -1)
            )
            places.update(back)
    return places
