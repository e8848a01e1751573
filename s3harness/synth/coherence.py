"""What a body cannot do at once: makes a drawn set of events one that can be acted out and labelled without doubt."""

from __future__ import annotations

from dataclasses import replace

from s3harness.synth.event import Event
from s3harness.synth.vocabulary import body_sides, opposite
from s3harness.types import Side

EXCLUSIVE: tuple[frozenset[str], ...] = tuple(
    frozenset(pair.split())
    for pair in (
        "blank_stare close_eyes",
        "blank_stare eye_blinking",
        "blank_stare asynchronous_movement",
        "blank_stare full_body_shaking",
        "blank_stare tonic",
        "blank_stare clonic",
        "blank_stare arms_move_simultaneously",
        "close_eyes eye_blinking",
        "tonic clonic",
        "tonic full_body_shaking",
        "tonic asynchronous_movement",
        "tonic oral_automatisms",
        "tonic arms_move_simultaneously",
        "clonic oral_automatisms",
        "clonic asynchronous_movement",
        "face_pulling face_twitching",
        "asynchronous_movement arms_move_simultaneously",
        "asynchronous_movement limb_automatisms",
        "asynchronous_movement head_turning",
        "asynchronous_movement pelvic_thrusting",
        "full_body_shaking arms_move_simultaneously",
        "full_body_shaking pelvic_thrusting",
        "full_body_shaking limb_automatisms",
        "full_body_shaking asynchronous_movement",
        "head_shaking head_turning",
        "arms_move_simultaneously limb_automatisms",
    )
)
"""Pairs of signs that never overlap: one would hide the other, or they contradict each other."""

_ARM_POSTURES = frozenset({"arm_flexion", "arm_straightening", "limb_automatisms"})
_MOVES_BOTH_ARMS = frozenset({"asynchronous_movement", "arms_move_simultaneously"})

_GAP_S = 0.1


def make_coherent(events: tuple[Event, ...], *, shortest_s: float) -> tuple[Event, ...]:
    """Shortens, shifts or drops events until no two exclude each other and each lasts ``shortest_s`` or more.

    A figure 4 brings its parts along: the straight arm on its side and the bent one on the other.
    """
    kept: list[Event] = []
    for event in sorted(_with_figure4_parts(events), key=_order):
        placed: Event | None = event
        for index, other in enumerate(kept):
            if placed is not None and excludes(other, placed):
                kept[index], placed = _separate(other, placed, shortest_s)
        if placed is not None and _length(placed) >= shortest_s:
            kept.append(placed)
    return tuple(sorted(kept, key=lambda event: event.envelope.start_s))


def excludes(first: Event, second: Event) -> bool:
    """Whether the two cannot overlap in time."""
    pair = {first.feature, second.feature}
    if frozenset(pair) in EXCLUSIVE:
        return True
    if pair & _MOVES_BOTH_ARMS and pair & _ARM_POSTURES:
        return True
    return len(pair & _ARM_POSTURES) == 2 and bool({*body_sides(first.side)} & {*body_sides(second.side)})


def _separate(earlier: Event, later: Event, shortest_s: float) -> tuple[Event, Event | None]:
    """The two without overlap: the earlier ends where the later begins, or else the later waits or is dropped."""
    if later.envelope.start_s >= earlier.envelope.end_s or later.envelope.end_s <= earlier.envelope.start_s:
        return earlier, later
    cut = later.envelope.start_s - _GAP_S
    if cut - earlier.envelope.start_s >= shortest_s and earlier.feature not in _FIXED:
        return _moved(earlier, earlier.envelope.start_s, cut), later
    start = earlier.envelope.end_s + _GAP_S
    if later.envelope.end_s - start >= shortest_s:
        return earlier, _moved(later, start, later.envelope.end_s)
    return earlier, None


_FIXED = frozenset({"figure4"})


def _with_figure4_parts(events: tuple[Event, ...]) -> tuple[Event, ...]:
    figure = next((event for event in events if event.feature == "figure4"), None)
    if figure is None:
        return events
    others = tuple(e for e in events if e.feature not in ("arm_straightening", "arm_flexion"))
    straight = _part(figure, events, "arm_straightening", figure.side)
    bent = _part(figure, events, "arm_flexion", opposite(figure.side or "left"))
    return (*others, straight, bent)


def _part(figure: Event, events: tuple[Event, ...], feature: str, side: Side | None) -> Event:
    """One arm of the figure 4: begins no later and ends no earlier than the figure."""
    found = next((event for event in events if event.feature == feature), replace(figure, feature=feature))
    start = min(found.envelope.start_s, figure.envelope.start_s - 0.15)
    end = max(found.envelope.end_s, figure.envelope.end_s + 0.15)
    return replace(_moved(found, start, end), side=side)


def _moved(event: Event, start_s: float, end_s: float) -> Event:
    return replace(event, envelope=event.envelope.moved(start_s, end_s))


def _order(event: Event) -> float:
    return event.envelope.start_s


def _length(event: Event) -> float:
    return event.envelope.end_s - event.envelope.start_s
