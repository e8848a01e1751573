"""Each sign as a composition of primitives, one function per sign; the movements follow the ILAE glossary.

Every composition is a list of primitives under the event's envelope, on the event's side, with amplitudes scaled by
its intensity. Signs of the face are in :mod:`s3harness_synth.face_signs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Script
from s3harness_synth.everyday import EVERYDAY
from s3harness_synth.face_signs import FACE_SIGNS, split_moments
from s3harness_synth.primitives import Hold, Jerk, Oscillation, Primitive, Sway
from s3harness_synth.vocabulary import SIDES, BodySide, body_sides, direction, opposite

TURNED_DEG = 66.0
"""Angle by which a head turns at full intensity."""

Composer = Callable[[Event, Script], list[Primitive]]


def compose(event: Event, script: Script) -> list[Primitive]:
    """Return the primitives that act out an event; empty for signs that are only heard, or a state."""
    composer = SIGNS.get(event.feature)
    return composer(event, script) if composer else []


def _head_turning(event: Event, script: Script) -> list[Primitive]:
    side = direction(event.side)
    on = event.envelope
    return [
        Hold("head_yaw", side * TURNED_DEG * event.intensity, on),
        Hold("head_roll", side * 8, on),
        Hold("head_pitch", 8, on),
        # In a version the eyes go with the head, to the end of their range.
        Hold("gaze_x", side, on),
        # A posture that is held by force trembles.
        Oscillation(channel="head_yaw", amplitude=0.8, frequency=7.0, envelope=on),
    ]


def _head_shaking(event: Event, script: Script) -> list[Primitive]:
    return [
        Oscillation(
            channel="head_yaw",
            amplitude=30 * event.intensity,
            frequency=event.frequency or 1.0,
            envelope=event.envelope,
            wander=0.2,
        )
    ]


def _steady_shaking(event: Event, script: Script) -> list[Primitive]:
    on, rate = event.envelope, event.frequency or 4.0
    reach = {"knee": 15.0, "hip": 7.0, "splay": 6.0}
    return [
        Oscillation(
            channel=f"{side}_{joint}",
            amplitude=reach[joint],
            frequency=rate,
            envelope=on,
            # The hip is out of phase with the knee, or the leg would swing as one stiff piece.
            phase=1.0 if joint == "hip" else 0.0,
        )
        for side in SIDES
        for joint in reach
    ]


def _glance(event: Event, script: Script) -> list[Primitive]:
    side = direction(event.side)
    return [Hold("head_yaw", 32 * side, event.envelope), Hold("gaze_x", 0.6 * side, event.envelope)]


def _tonic(event: Event, script: Script) -> list[Primitive]:
    on, force = event.envelope, event.intensity
    held: list[Primitive] = [
        Hold("head_pitch", 18 * force, on),
        Hold("trunk_arch", 0.08 * force, on),
        Hold("teeth", 0.8, on),
        Hold("brow", -0.5, on),
        Hold("trunk_lean", -5 * direction(event.side), on),
        Oscillation(channel="head_roll", amplitude=0.7, frequency=8.5, envelope=on),
    ]
    for side in body_sides(event.side):
        # In the leg the extensors are stronger than the flexors: it is stretched, with the toes pointed.
        held += [Hold(f"{side}_hip", 0, on), Hold(f"{side}_knee", 0, on), Hold(f"{side}_foot", 55, on)]
        held += [Hold(f"{side}_splay", 14, on), Hold(f"{side}_grip", 1, on)]
        held += [
            Oscillation(channel=f"{side}_{joint}", amplitude=1.6 * force, frequency=9.0, envelope=on)
            for joint in ("elbow", "raise", "knee")
        ]
    return held


def _clonic(event: Event, script: Script) -> list[Primitive]:
    on, moments, force = event.envelope, event.moments, event.intensity
    jerks: list[Primitive] = []
    reach = {"raise": 20, "abduction": 10, "hip": 12, "knee": 18}
    for side in body_sides(event.side):
        # Half bent, so that a jerk stays within the range of the elbow.
        jerks += [Hold(f"{side}_elbow", 78, on), Hold(f"{side}_grip", 1, on), Hold(f"{side}_raise", 20, on)]
        jerks += [Jerk(f"{side}_{joint}", height * force, moments, on) for joint, height in reach.items()]
        bent, free = split_moments(moments, _flexion(script, side))
        jerks += [Jerk(f"{side}_elbow", 46 * force, free, on), Jerk(f"{side}_elbow", -46 * force, bent, on)]
    both = event.side == "both"
    # Jerks of both sides reach the neck and the trunk; those of one side hardly do.
    jerks.append(Jerk("head_pitch", (-12 if both else -2) * force, moments, on))
    jerks.append(Jerk("trunk_arch", 0.03 * force * both, moments, on))
    return jerks


def _flexion(script: Script, side: BodySide) -> Event | None:
    """Event that holds the arm of a side bent; jerks can then only stretch it."""
    flexion = script.find("arm_flexion")
    return flexion if flexion is not None and side in body_sides(flexion.side) else None


def _arm_straightening(event: Event, script: Script) -> list[Primitive]:
    pose = {"elbow": 3, "abduction": 52, "raise": 30, "rotation": 40, "wrist": 45, "grip": 1}
    return _hold_arms(event, pose)


def _arm_flexion(event: Event, script: Script) -> list[Primitive]:
    pose = {"elbow": 132, "abduction": 38, "raise": 12, "rotation": 18, "wrist": 60, "grip": 1}
    return _hold_arms(event, pose)


def _figure4(event: Event, script: Script) -> list[Primitive]:
    straight = {"elbow": 2, "abduction": 86, "raise": 14, "rotation": 40, "wrist": 35, "grip": 1}
    # Rotated beyond 90°, the forearm crosses the chest: with the straight arm it makes the digit.
    bent = {"elbow": 122, "abduction": 42, "raise": 36, "rotation": 96, "wrist": 30, "grip": 1}
    across = replace(event, side=opposite(event.side or "left"))
    return _hold_arms(event, straight) + _hold_arms(across, bent)


def _hold_arms(event: Event, pose: Mapping[str, float]) -> list[Primitive]:
    tremor = [
        Oscillation(channel=f"{s}_abduction", amplitude=0.7, frequency=8.0, envelope=event.envelope)
        for s in body_sides(event.side)
    ]
    holds = [Hold(f"{s}_{joint}", a, event.envelope) for s in body_sides(event.side) for joint, a in pose.items()]
    return [*holds, *tremor]


def _limb_automatisms(event: Event, script: Script) -> list[Primitive]:
    on, rate = event.envelope, event.frequency or 1.0
    acts: list[Primitive] = []
    pose = {"elbow": 84, "raise": 24, "rotation": 62, "abduction": 14}
    for number, side in enumerate(body_sides(event.side)):
        acts += [Hold(f"{side}_{joint}", angle, on) for joint, angle in pose.items()]
        # Joints out of phase let the hand draw loops, as in fumbling, instead of going to and fro.
        for joint, reach, phase in (("elbow", 12.0, 0.0), ("rotation", 16.0, 1.6), ("raise", 5.0, 0.7)):
            # Each hand wanders by a seed of its own, or both would stray alike.
            seed = event.seed + 7 * number
            acts.append(
                Oscillation(
                    channel=f"{side}_{joint}",
                    amplitude=reach,
                    frequency=rate,
                    envelope=on,
                    phase=phase + number,
                    wander=0.25,
                    seed=seed,
                )
            )
        acts.append(Oscillation(channel=f"{side}_grip", amplitude=0.5, frequency=1.6 * rate, envelope=on))
    return acts


def _asynchronous_movement(event: Event, script: Script) -> list[Primitive]:
    rng = np.random.default_rng(event.seed)
    on, rate = event.envelope, event.frequency or 1.5
    moves: list[Primitive] = [
        Hold("brow", -0.6, on),
        Sway("trunk_lean", 9, 0.7, on, event.seed + 1),
        Sway("head_roll", 9, 0.6, on, event.seed + 3),
    ]
    # A head that is turned stays turned: swaying would blur its side.
    if script.find("head_turning") is None:
        moves.append(Sway("head_yaw", 24, 0.6, on, event.seed + 2))
    reach = {"abduction": 30.0, "raise": 32.0, "elbow": 42.0, "rotation": 30.0, "hip": 22.0, "knee": 32.0, "splay": 9.0}
    offset = {"abduction": 22.0, "raise": 18.0, "elbow": 25.0, "hip": 14.0, "knee": 30.0}
    for side in SIDES:
        on = event.envelope if event.side in (side, None) else _joining(event.envelope)
        # A rate for each side, and below for each joint: this is what makes the movement asynchronous.
        own = rate * rng.uniform(0.6, 1.5)
        for joint, height in reach.items():
            moves.append(Sway(f"{side}_{joint}", offset.get(joint, 4.0), 1.5, on, int(rng.integers(2**31))))
            swing = height * event.intensity * rng.uniform(0.6, 1.0)
            seed, phase = int(rng.integers(2**31)), rng.uniform(0, 6.3)
            f = own * rng.uniform(0.8, 1.25)
            moves.append(
                Oscillation(
                    channel=f"{side}_{joint}",
                    amplitude=swing,
                    frequency=f,
                    envelope=on,
                    phase=phase,
                    wander=0.5,
                    seed=seed,
                )
            )
        moves += [Hold(f"{side}_{joint}", angle, on) for joint, angle in _FLAILING.items()]
    return moves


def _joining(envelope: Envelope) -> Envelope:
    """The envelope of the limbs that join in later where one arm leads."""
    # At most a third of a short sign, which must still be seen on both sides.
    later = min(_LEADS_BY_S, 0.3 * (envelope.end_s - envelope.start_s))
    return envelope.moved(envelope.start_s + later, envelope.end_s)


_LEADS_BY_S = 3.5
_FLAILING = {"raise": 26.0, "abduction": 56.0, "elbow": 44.0, "rotation": 12.0}


def _pelvic_thrusting(event: Event, script: Script) -> list[Primitive]:
    on, rate = event.envelope, event.frequency or 1.2
    thrust = 0.095 * event.intensity
    moves: list[Primitive] = [
        # Held at the amplitude of the thrusts, so that the pelvis rises from the mattress and never sinks into it.
        Hold("pelvis_lift", thrust, on),
        Oscillation(channel="pelvis_lift", amplitude=thrust, frequency=rate, envelope=on),
        Oscillation(channel="trunk_arch", amplitude=0.03, frequency=rate, envelope=on),
        Oscillation(channel="head_pitch", amplitude=6, frequency=rate, envelope=on, phase=np.pi),
    ]
    for side in SIDES:
        # Thigh and shank are equally long: with the knee at twice the hip's angle the feet stay on the bed.
        moves += [Hold(f"{side}_hip", 44, on), Hold(f"{side}_knee", 88, on), Hold(f"{side}_splay", 16, on)]
        moves.append(Oscillation(channel=f"{side}_hip", amplitude=-6, frequency=rate, envelope=on))
    return moves


def _full_body_shaking(event: Event, script: Script) -> list[Primitive]:
    on, rate, force = event.envelope, event.frequency or 4.0, event.intensity
    moves: list[Primitive] = []
    clonic = script.find("clonic")
    if clonic is not None:
        shares = {"trunk_shift": 0.025, "head_roll": 9.0, "trunk_lean": 5.0}
        moves += [Jerk(channel, height * force, clonic.moments, on) for channel, height in shares.items()]
        # While the limbs jerk, the trunk jerks with them instead of shaking at a rate of its own.
        on = on.paused(*clonic.interval)
    moves += [
        Oscillation(channel="trunk_shift", amplitude=0.03 * force, frequency=rate, envelope=on),
        Oscillation(channel="head_roll", amplitude=8 * force, frequency=rate, envelope=on, phase=0.6),
        Oscillation(channel="head_yaw", amplitude=7 * force, frequency=rate, envelope=on, phase=0.2),
        Oscillation(channel="trunk_lean", amplitude=4 * force, frequency=rate, envelope=on, phase=0.3),
    ]
    for side in SIDES:
        for joint, height in (("elbow", 20), ("abduction", 10), ("raise", 8), ("knee", 12), ("hip", 7), ("splay", 5)):
            # Both limbs go outwards by these two: in antiphase they swing to the same side of the room.
            phase = 0.4 if side == "left" else 0.4 + np.pi * (joint in ("abduction", "splay"))
            moves.append(
                Oscillation(
                    channel=f"{side}_{joint}", amplitude=height * force, frequency=rate, envelope=on, phase=phase
                )
            )
    return moves


def _arms_move_simultaneously(event: Event, script: Script) -> list[Primitive]:
    on, rate, force = event.envelope, event.frequency or 1.0, event.intensity
    moves: list[Primitive] = []
    pose = {"abduction": 52, "raise": 30, "elbow": 62, "rotation": 20}
    for side in SIDES:
        moves += [Hold(f"{side}_{joint}", angle, on) for joint, angle in pose.items()]
        moves.append(
            Oscillation(
                channel=f"{side}_abduction",
                amplitude=36 * force,
                frequency=rate,
                envelope=on,
                wander=0.1,
                seed=event.seed,
            )
        )
        moves.append(
            Oscillation(
                # The same seed on both sides and joints, so that the arms never drift apart.
                channel=f"{side}_elbow",
                amplitude=-26 * force,
                frequency=rate,
                envelope=on,
                wander=0.1,
                seed=event.seed,
            )
        )
    return moves


SIGNS: dict[str, Composer] = {
    **FACE_SIGNS,
    **EVERYDAY,
    "head_turning": _head_turning,
    "head_shaking": _head_shaking,
    "steady_shaking": _steady_shaking,
    "glance": _glance,
    "tonic": _tonic,
    "clonic": _clonic,
    "arm_straightening": _arm_straightening,
    "arm_flexion": _arm_flexion,
    "figure4": _figure4,
    "limb_automatisms": _limb_automatisms,
    "asynchronous_movement": _asynchronous_movement,
    "pelvic_thrusting": _pelvic_thrusting,
    "full_body_shaking": _full_body_shaking,
    "arms_move_simultaneously": _arms_move_simultaneously,
}
"""Feature → the function that acts it out."""
