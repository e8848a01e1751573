"""Ordinary movements between seizures, one function each: they fill recordings of hours, and no truth names them.

Some look like signs: eating brings a hand to the mouth and chews, scratching has the rate of clonic jerks, and
whoever turns over moves every limb at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from s3harness_synth.event import Event, Script
from s3harness_synth.primitives import Hold, Oscillation, Primitive, Sway
from s3harness_synth.vocabulary import SIDES, BodySide, direction, opposite


def _turning_over(event: Event, script: Script) -> list[Primitive]:
    on, side = event.envelope, _side(event)
    towards, other = direction(side), opposite(side)
    lying = {"raise": 46, "rotation": 96, "elbow": 62, "abduction": 4}
    return [
        Hold("trunk_lean", 18 * towards, on),
        Hold("trunk_shift", 0.1 * towards, on),
        Hold("head_yaw", 48 * towards, on),
        Hold("head_roll", 16 * towards, on),
        # The arm and the leg from above come across the body.
        *(Hold(f"{other}_{joint}", angle, on) for joint, angle in lying.items()),
        Hold(f"{other}_hip", 38, on),
        Hold(f"{other}_knee", 64, on),
        Hold(f"{other}_splay", -6, on),
    ]


def _sitting_up(event: Event, script: Script) -> list[Primitive]:
    on = event.envelope
    moves: list[Primitive] = [
        Hold("trunk_arch", 0.18, on),
        Hold("pelvis_lift", 0.05, on),
        Hold("head_pitch", 12, on),
        Sway("head_yaw", 18, 2.0, on, event.seed),
    ]
    for side in SIDES:
        pushing = {"abduction": 34, "elbow": 30, "raise": -8, "rotation": 20, "hip": 26, "knee": 52}
        moves += [Hold(f"{side}_{joint}", angle, on) for joint, angle in pushing.items()]
    return moves


def _eating(event: Event, script: Script) -> list[Primitive]:
    on, side = event.envelope, _side(event)
    reaching = {"elbow": 92, "raise": 34, "rotation": 66, "abduction": 12, "grip": 0.9}
    return [
        *(Hold(f"{side}_{joint}", angle, on) for joint, angle in reaching.items()),
        # A bite takes some eight seconds; between two of them it is chewed.
        Oscillation(channel=f"{side}_elbow", amplitude=42, frequency=0.12, envelope=on, wander=0.3, seed=event.seed),
        Oscillation(channel=f"{side}_raise", amplitude=16, frequency=0.12, envelope=on, wander=0.3, seed=event.seed),
        Hold("jaw", 0.14, on),
        Oscillation(channel="jaw", amplitude=0.12, frequency=1.3, envelope=on, wander=0.3, seed=event.seed + 1),
        Hold("head_pitch", 6, on),
    ]


def _talking(event: Event, script: Script) -> list[Primitive]:
    on, side = event.envelope, _side(event)
    return [
        Hold("head_yaw", 22 * direction(side), on),
        Hold("jaw", 0.2, on),
        Oscillation(channel="jaw", amplitude=0.16, frequency=3.4, envelope=on, wander=0.5, seed=event.seed),
        Sway("head_pitch", 4, 0.8, on, event.seed + 1),
        *(Sway(f"{hand}_raise", 12, 0.9, on, event.seed + 2 + n) for n, hand in enumerate(SIDES)),
        *(Sway(f"{hand}_elbow", 22, 0.8, on, event.seed + 4 + n) for n, hand in enumerate(SIDES)),
    ]


def _scratching(event: Event, script: Script) -> list[Primitive]:
    on, side = event.envelope, _side(event)
    pose = {"elbow": 128, "raise": 44, "rotation": 58, "abduction": 22, "grip": 0.6}
    return [
        *(Hold(f"{side}_{joint}", angle, on) for joint, angle in pose.items()),
        Oscillation(channel=f"{side}_elbow", amplitude=7, frequency=event.frequency or 3.2, envelope=on),
        Oscillation(channel=f"{side}_wrist", amplitude=14, frequency=event.frequency or 3.2, envelope=on),
    ]


def _side(event: Event) -> BodySide:
    return "left" if event.side == "left" else "right"


EVERYDAY: Mapping[str, Callable[[Event, Script], list[Primitive]]] = {
    "turning_over": _turning_over,
    "sitting_up": _sitting_up,
    "eating": _eating,
    "talking": _talking,
    "scratching": _scratching,
}
"""Ordinary movement → the function that acts it out."""
