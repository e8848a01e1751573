"""Coherence of drawn events: movements that a body cannot make at once are moved apart or take turns.

Movements that exclude each other take turns: the one pauses while the other is on, as in a fluctuating seizure, and
both keep their onset and their offset. Only the eyes cannot take turns; there the later sign waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from s3harness_synth.chances import FIGURE4_PARTS
from s3harness_synth.envelope import PAUSE_RAMP_S, Envelope
from s3harness_synth.event import Event
from s3harness_synth.vocabulary import body_sides


def _pairs(*lines: str) -> frozenset[frozenset[str]]:
    return frozenset(frozenset((line.split()[0], other)) for line in lines for other in line.split()[1:])


# No turns here: eyes that open and shut by turns would be blinking, a sign of its own.
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
    """Return the events by onset, delayed and paused until no two are on that exclude each other.

    An event for which there is no time before ``last_s``, or that would move the arms of a figure 4, is left out.
    """
    # The figure 4 comes first and stays where it was drawn; everything else is placed around it.
    placed_events = _figure4(events)
    held = tuple(placed_events)
    # In the order of onset, so that a conflict delays the later of the two.
    for event in sorted((e for e in events if e not in held), key=lambda event: event.interval[0]):
        placed = _placed(_before(held, event, shortest_s), placed_events, shortest_s, last_s)
        if placed is not None and not any(excludes(other, placed) and _overlap(other, placed) for other in held):
            placed_events.append(placed)
    return _taking_turns(sorted(placed_events, key=lambda event: event.interval[0]))


def excludes(first: Event, second: Event) -> bool:
    """Return ``True`` if the two cannot be on at the same time."""
    pair = frozenset((first.feature, second.feature))
    if pair in CONTRADICTORY or pair in ALTERNATING:
        return True
    same_side = bool({*body_sides(first.side)} & {*body_sides(second.side)})
    return len(pair & _ARM_POSTURES) == 2 and same_side


def _figure4(events: Sequence[Event]) -> list[Event]:
    """The figure 4 and the arms that make it, which move for nothing, and are held while it is seen."""
    figure = next((event for event in events if event.feature == "figure4"), None)
    if figure is None:
        return []
    return [_around(figure, event) for event in events if event.feature in {"figure4", *FIGURE4_PARTS}]


def _around(figure: Event, part: Event) -> Event:
    (first, last), (onset, offset) = figure.interval, part.interval
    is_around = onset <= first and last <= offset
    return part if is_around else _spanning(part, min(onset, first), max(offset, last))


def _before(held: Sequence[Event], event: Event, shortest_s: float) -> Event:
    """The event, over before the arms that it would move are held, if that leaves it ``shortest_s``."""
    onset = event.interval[0]
    ends = [arm.interval[0] - PAUSE_RAMP_S for arm in held if excludes(arm, event) and _overlap(arm, event)]
    return _spanning(event, onset, min(ends)) if ends and min(ends) - onset > shortest_s else event


def _placed(event: Event, others: Sequence[Event], shortest_s: float, last_s: float) -> Event | None:
    """Return the event at a time that suits all ``others``; ``None`` if there is none before ``last_s``."""
    onset, offset = event.interval
    rivals = [other for other in others if excludes(other, event)]
    # Every move is to a later time, so the loop ends.
    while offset <= last_s:
        moved = next(
            (m for m in (_aside(other, event, onset, offset) for other in rivals) if m != (onset, offset)), None
        )
        if moved is None:
            return event if (onset, offset) == event.interval else _spanning(event, onset, offset)
        # An event that is delayed beyond its own offset still lasts long enough to be seen.
        onset, offset = moved[0], max(moved[1], moved[0] + shortest_s)
    return None


def _aside(other: Event, event: Event, onset: float, offset: float) -> tuple[float, float]:
    """Onset and offset as they are if they suit ``other``, else the next later ones that may."""
    start, end = other.interval
    if onset >= end or offset <= start:
        return onset, offset
    after = end + PAUSE_RAMP_S
    if frozenset((other.feature, event.feature)) in CONTRADICTORY or onset > end - EDGE_S:
        return after, offset
    if onset < start + EDGE_S:
        return start + EDGE_S, offset
    if abs(offset - end) < EDGE_S:
        return onset, end + EDGE_S
    # Both need a turn within the overlap; where it is too short for two, the later event waits.
    return (after, offset) if offset > end and end - onset < 2 * EDGE_S else (onset, offset)


def _taking_turns(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events with pauses wherever two of them would be on that alternate."""
    pauses: dict[str, list[tuple[float, float]]] = {event.feature: [] for event in events}
    for earlier, later in combinations(events, 2):
        if excludes(earlier, later) and _overlap(earlier, later):
            end, (onset, offset) = earlier.interval[1], later.interval
            # An event within another has its whole time to itself; of two that only overlap, each gets half.
            turn = offset if offset < end else 0.5 * (onset + end)
            # A ramp earlier and later, so that the one rests by the time the other sets in.
            pauses[earlier.feature].append((onset - PAUSE_RAMP_S, turn + PAUSE_RAMP_S))
            if offset > end:
                pauses[later.feature].append((turn - PAUSE_RAMP_S, end + PAUSE_RAMP_S))
    return tuple(_resting(event, pauses[event.feature]) for event in events)


def _resting(event: Event, pauses: Sequence[tuple[float, float]]) -> Event:
    envelope = event.envelope
    return replace(event, envelope=replace(envelope, pauses=(*envelope.pauses, *pauses))) if pauses else event


def _spanning(event: Event, onset_s: float, offset_s: float) -> Event:
    old = event.envelope
    # A pause at the very edge would move the onset or the offset that the truth states.
    pauses = tuple(p for p in old.pauses if p[0] > onset_s + EDGE_S and p[1] < offset_s - EDGE_S)
    return replace(event, envelope=Envelope.spanning(onset_s, offset_s, max(old.rise_s, old.fall_s), pauses))


def _overlap(first: Event, second: Event) -> bool:
    (a, b), (c, d) = first.interval, second.interval
    return a < d and c < b
