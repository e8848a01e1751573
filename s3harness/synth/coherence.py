"""What a body cannot do at once: makes a drawn set of events one that can be acted out and labelled without doubt.

Movements that exclude each other take turns: the one pauses while the other is on, as in a fluctuating seizure, and
both keep their onset and their offset. Only the eyes cannot take turns; there the later sign waits or is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from s3harness.synth.envelope import PAUSE_RAMP_S
from s3harness.synth.event import Event
from s3harness.synth.vocabulary import body_sides


def _pairs(*lines: str) -> frozenset[frozenset[str]]:
    return frozenset(frozenset((line.split()[0], other)) for line in lines for other in line.split()[1:])


CONTRADICTORY = _pairs("close_eyes blank_stare eye_blinking")
"""Pairs that never overlap."""

ALTERNATING = _pairs(
    "asynchronous_movement tonic clonic full_body_shaking pelvic_thrusting limb_automatisms arms_move_simultaneously",
    "asynchronous_movement arm_flexion arm_straightening blank_stare",
    "arms_move_simultaneously full_body_shaking limb_automatisms arm_flexion arm_straightening blank_stare",
    "full_body_shaking pelvic_thrusting limb_automatisms blank_stare",
    "head_shaking head_turning blank_stare glance",
    "glance head_turning blank_stare",
    "steady_shaking asynchronous_movement full_body_shaking pelvic_thrusting tonic clonic blank_stare",
    "yawn oral_automatisms ictal_vocalization blank_stare tonic",
)
"""Pairs of movements of the same parts of the body, which take turns."""

_ARM_POSTURES = frozenset({"arm_flexion", "arm_straightening", "limb_automatisms"})

EDGE_S = 4 * PAUSE_RAMP_S
"""Events that take turns begin and end at least this far apart, so that each is seen to begin and to end."""


def make_coherent(events: Sequence[Event], *, shortest_s: float, last_s: float) -> tuple[Event, ...]:
    """Lets events wait, rest or stop until no two are on that exclude each other; by onset.

    An event for whose ``shortest_s`` there is no time before ``last_s`` is left out; signs of the prior always fit.
    """
    kept: list[Event] = []
    for event in sorted(events, key=lambda event: event.interval[0]):
        placed: Event | None = event
        for index, other in enumerate(kept):
            if placed is not None and excludes(other, placed):
                kept[index], placed = _separate(other, placed, shortest_s, last_s)
        if placed is not None:
            kept.append(placed)
    return tuple(sorted(kept, key=lambda event: event.interval[0]))


def excludes(first: Event, second: Event) -> bool:
    """Whether the two cannot be on at the same time."""
    pair = frozenset((first.feature, second.feature))
    if pair in CONTRADICTORY or pair in ALTERNATING:
        return True
    same_side = bool({*body_sides(first.side)} & {*body_sides(second.side)})
    return len(pair & _ARM_POSTURES) == 2 and same_side


def coexist(events: Sequence[Event]) -> bool:
    """Whether no two of the events that exclude each other overlap, pauses apart."""
    return not any(excludes(a, b) and _overlap(a, b) for a, b in combinations(events, 2))


def _separate(earlier: Event, later: Event, shortest_s: float, last_s: float) -> tuple[Event, Event | None]:
    """The two, one after the other or taking turns."""
    if not _overlap(earlier, later):
        return earlier, later
    (start, end), (onset, offset) = earlier.interval, later.interval
    if frozenset((earlier.feature, later.feature)) in CONTRADICTORY:
        return _one_after_the_other(earlier, later, shortest_s, last_s)
    onset = max(onset, start + EDGE_S)
    offset = max(offset, onset + shortest_s)
    if abs(offset - end) < EDGE_S:
        offset = end + EDGE_S
    if onset > end - EDGE_S or offset > last_s:
        return _one_after_the_other(earlier, later, shortest_s, last_s)
    later = _spanning(later, onset, offset)
    if offset < end:
        return _resting(earlier, onset, offset), later
    if end - onset < 2 * EDGE_S:
        return _one_after_the_other(earlier, later, shortest_s, last_s)
    turn = 0.5 * (onset + end)
    return _resting(earlier, onset, turn), _resting(later, turn, end)


def _one_after_the_other(
    earlier: Event, later: Event, shortest_s: float, last_s: float
) -> tuple[Event, Event | None]:
    """The earlier stops where the later begins, if it has lasted by then; else the later waits for it."""
    (start, end), (onset, offset) = earlier.interval, later.interval
    if onset - start >= shortest_s + PAUSE_RAMP_S:
        return _spanning(earlier, start, onset - PAUSE_RAMP_S), later
    waiting = end + PAUSE_RAMP_S
    if max(offset, waiting + shortest_s) <= last_s:
        return earlier, _spanning(later, waiting, max(offset, waiting + shortest_s))
    return earlier, None


def _resting(event: Event, first_s: float, last_s: float) -> Event:
    """With a pause that begins and ends with the weight at nothing between the two moments."""
    return replace(event, envelope=event.envelope.paused(first_s - PAUSE_RAMP_S, last_s + PAUSE_RAMP_S))


def _spanning(event: Event, onset_s: float, offset_s: float) -> Event:
    old = event.envelope
    kept = tuple(p for p in old.pauses if p[0] > onset_s + EDGE_S and p[1] < offset_s - EDGE_S)
    return replace(event, envelope=type(old).spanning(onset_s, offset_s, max(old.rise_s, old.fall_s), kept))


def _overlap(first: Event, second: Event) -> bool:
    (a, b), (c, d) = first.interval, second.interval
    return a < d and c < b
