"""The signs of eyes, face and mouth as compositions of primitives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from s3harness_synth.event import Event, Script
from s3harness_synth.primitives import Hold, Jerk, Oscillation, Primitive
from s3harness_synth.vocabulary import SIDES, BodySide, body_sides

BLINK_S = 0.2
"""Seconds of one ictal blink."""


def _blank_stare(event: Event, script: Script) -> list[Primitive]:
    on = event.envelope
    still = [Hold(channel, 0.0, on) for channel in ("gaze_x", "gaze_y", "head_roll")]
    # Below the lid's value at rest: the eyes are wide open.
    wide = [Hold(f"{side}_lid", -0.22, on) for side in SIDES]
    return [*still, *wide, Hold("jaw", 0.14, on), Hold("brow", 0.25, on)]


def _close_eyes(event: Event, script: Script) -> list[Primitive]:
    # Forced closure with lowered brows marks functional events; epileptic ones close the eyes without force.
    squeeze = -0.75 if script.diagnosis == "NES" else -0.1
    return [*(Hold(f"{side}_lid", 1.0, event.envelope) for side in SIDES), Hold("brow", squeeze, event.envelope)]


def _eye_blinking(event: Event, script: Script) -> list[Primitive]:
    return [
        *(Hold(f"{side}_lid", 0.05, event.envelope) for side in SIDES),
        # Above the lid's range of 1, where the track is clipped: shut for a while, not for an instant.
        *(Jerk(f"{side}_lid", 1.3, event.moments, event.envelope, BLINK_S) for side in SIDES),
    ]


def _face_pulling(event: Event, script: Script) -> list[Primitive]:
    pulled: list[Primitive] = []
    for side in body_sides(event.side):
        # A hemifacial contraction draws the corner of the mouth and the lid of one side together.
        pulled += [Hold(f"{side}_mouth", 1.05, event.envelope), Hold(f"{side}_lid", 0.5, event.envelope)]
    return [*pulled, Hold("teeth", 0.7, event.envelope)]


def _face_twitching(event: Event, script: Script) -> list[Primitive]:
    twitches: list[Primitive] = []
    moments = _twitch_moments(event, script)
    for side in body_sides(event.side):
        slack, free = split_moments(moments, _pull(script, side))
        twitches.append(Jerk(f"{side}_mouth", 1.1 * event.intensity, free, event.envelope))
        twitches.append(Jerk(f"{side}_mouth", -0.8 * event.intensity, slack, event.envelope))
        twitches.append(Jerk(f"{side}_lid", 0.6 * event.intensity, moments, event.envelope))
    return twitches


def _pull(script: Script, side: BodySide) -> Event | None:
    """Event that pulls the mouth on a side already; a twitch can then only let it go."""
    pulling = script.find("face_pulling")
    return pulling if pulling is not None and side in body_sides(pulling.side) else None


def split_moments(moments: tuple[float, ...], event: Event | None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the moments within an event, and those outside of it."""
    onset, offset = event.interval if event else (0.0, 0.0)
    return tuple(m for m in moments if onset <= m < offset), tuple(m for m in moments if not onset <= m < offset)


def _twitch_moments(event: Event, script: Script) -> tuple[float, ...]:
    """The limbs' jerks where they overlap (face and limbs jerk as one), the face's own rhythm elsewhere."""
    clonic = script.find("clonic")
    if clonic is None:
        return event.moments
    first, last = clonic.interval
    onset, offset = event.interval
    # From a little before the first jerk, or a twitch of its own would run into that of the limbs.
    own = [moment for moment in event.moments if not first - 0.3 < moment < last]
    return tuple(sorted(own + [moment for moment in clonic.moments if onset <= moment <= offset]))


def _oral_automatisms(event: Event, script: Script) -> list[Primitive]:
    on, rate = event.envelope, event.frequency or 1.4
    return [
        Hold("jaw", 0.26, on),
        Oscillation(channel="jaw", amplitude=0.26, frequency=rate, envelope=on, wander=0.2, seed=event.seed),
        Hold("purse", 0.35, on),
        # Covers the bared teeth of a tonic posture, which would hide the chewing.
        Hold("teeth", 0, on),
        Oscillation(
            channel="purse", amplitude=0.4, frequency=rate, envelope=on, phase=np.pi, wander=0.2, seed=event.seed
        ),
    ]


def _ictal_vocalization(event: Event, script: Script) -> list[Primitive]:
    on = event.envelope
    if event.style == "weeping":
        weep = [Hold(f"{side}_mouth", -0.35, on) for side in SIDES]
        return [
            *weep,
            Hold("tears", 1, on),
            Hold("brow", 0.6, on),
            Oscillation(channel="jaw", amplitude=0.2, frequency=1.3, envelope=on),
            Hold("jaw", 0.3, on),
        ]
    return [Hold("jaw", {"cry": 0.75, "moan": 0.5}.get(event.style, 0.4), on), Hold("teeth", 0, on)]


def _yawn(event: Event, script: Script) -> list[Primitive]:
    return [Hold("jaw", 0.95, event.envelope), *(Hold(f"{side}_lid", 0.7, event.envelope) for side in SIDES)]


FACE_SIGNS: dict[str, Callable[[Event, Script], list[Primitive]]] = {
    "blank_stare": _blank_stare,
    "close_eyes": _close_eyes,
    "eye_blinking": _eye_blinking,
    "face_pulling": _face_pulling,
    "face_twitching": _face_twitching,
    "oral_automatisms": _oral_automatisms,
    "ictal_vocalization": _ictal_vocalization,
    "yawn": _yawn,
}
"""Sign of the face → the function that acts it out."""
