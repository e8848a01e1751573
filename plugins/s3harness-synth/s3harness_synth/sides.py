"""The sides of the body on which the signs of an event are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from s3harness import Diagnosis, Side
from s3harness_synth.archetypes import Slot
from s3harness_synth.habits import Habits
from s3harness_synth.patient import Patient
from s3harness_synth.prior import Prior
from s3harness_synth.timing import Times
from s3harness_synth.vocabulary import SIDED, opposite

BOTH_CHANCE = 0.35
"""Chance of both sides for a sign that may be on one side or on both."""

LEADING_ARM_CHANCE: dict[Diagnosis, float] = {"ES": 0.0, "NES": 0.6}
"""Chance that thrashing begins with one arm: it is the side of that event, though not of the sign."""

_ARMS = ("arm_straightening", "arm_flexion", "limb_automatisms")
_LEVERS = frozenset({*_ARMS, "figure4"})


def choose_sides(
    slots: Sequence[Slot], times: Times, patient: Patient, prior: Prior, habits: Habits
) -> dict[str, Side | None]:
    """Return the side of each sign; no arm makes two movements at once if the other is free."""
    sides = {slot.feature: _side(slot, patient, habits) for slot in slots}
    busy = [feature for feature in _ARMS if feature in sides]
    if len(busy) > 1 or "figure4" in sides:
        _share_arms(sides, patient)
    first = _first_alone(sides, times)
    # All arm signs change sides together: the arm that moves first then has the side that the prior gives it.
    if first is not None and prior.first_arm_right is not None and sides[first] != patient.first_arm:
        for feature in _LEVERS & sides.keys():
            sides[feature] = opposite(sides[feature] or "both")
    labelled = {feature: side if feature in SIDED else None for feature, side in sides.items()}
    if "asynchronous_movement" in labelled and habits.chance("leading arm") < LEADING_ARM_CHANCE[patient.diagnosis]:
        labelled["asynchronous_movement"] = patient.first_arm
    return labelled


def _side(slot: Slot, patient: Patient, habits: Habits) -> Side | None:
    both, where = habits.chance(f"{slot.feature} side") < BOTH_CHANCE, slot.side
    if where == "both" or (where == "contralateral or both" and both):
        return "both"
    return patient.focus if where == "ipsilateral" else opposite(patient.focus)


def _share_arms(sides: dict[str, Side | None], patient: Patient) -> None:
    """The contralateral arm is stretched out, or bent where none is; the other does what is left to do."""
    contralateral = opposite(patient.focus)
    postures: Iterable[str] = (f for f in ("figure4", "arm_straightening") if f in sides)
    for feature in postures:
        sides[feature] = contralateral
    if "arm_flexion" in sides:
        sides["arm_flexion"] = patient.focus if "arm_straightening" in sides else contralateral
    if "limb_automatisms" in sides:
        sides["limb_automatisms"] = patient.focus


def _first_alone(sides: dict[str, Side | None], times: Times) -> str | None:
    """The arm sign that comes first of those on one side."""
    alone = [feature for feature in _LEVERS & sides.keys() if sides[feature] in ("left", "right")]
    # The name decides a tie: the order of a set of strings differs from process to process.
    return min(alone, key=lambda feature: (times[feature][0], feature), default=None)
