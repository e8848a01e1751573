"""The script of one event: its signs with onset, offset, side and intensity. All truth comes from here."""

from __future__ import annotations

from math import exp, log

import numpy as np
from numpy.random import Generator

from s3harness_synth import archetypes
from s3harness_synth.archetypes import Slot
from s3harness_synth.chances import FIGURE4_PARTS, answer_chances, sign_chances, sleep_chances
from s3harness_synth.coherence import make_coherent
from s3harness_synth.distractors import sample_distractors
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Script
from s3harness_synth.examination import sample_examination
from s3harness_synth.habits import VARIABILITY, Habits
from s3harness_synth.patient import Patient
from s3harness_synth.prior import GroupPrior, Prior, load_prior
from s3harness_synth.sides import choose_sides
from s3harness_synth.timing import Draw, Times, draw, place, sign_times

SHORTEST_S = 20.0
"""The shortest video whose length is drawn."""

_FREQUENCIES: dict[str, tuple[float, float]] = {
    "eye_blinking": (2.4, 3.6),
    "face_twitching": (1.6, 2.6),
    "clonic": (2.6, 4.0),
    "oral_automatisms": (1.1, 1.7),
    "limb_automatisms": (0.8, 1.4),
    "asynchronous_movement": (1.0, 2.2),
    "pelvic_thrusting": (0.9, 1.5),
    "full_body_shaking": (3.4, 4.8),
    "arms_move_simultaneously": (0.8, 1.3),
}
# Clonic jerks slow down, functional shaking does not: their rates vary by 52–58 % and 15–17 % in the literature.
_SLOWING = {"clonic": 0.3, "face_twitching": 0.6}
# The movements of functional seizures wax and wane, with pauses in between.
_WITH_PAUSES = frozenset({"asynchronous_movement", "pelvic_thrusting", "full_body_shaking"})
# A posture builds up over a second or so; a rhythm is there from its first cycle on.
_SLOW_ONSET = frozenset({"tonic", "arm_straightening", "arm_flexion", "figure4", "head_turning"})
# Sleep must be seen before the first sign, or nobody could tell it from the video.
_ASLEEP_S = 4.0


def sample_script(
    patient: Patient,
    rng: Generator,
    duration_s: float | None = None,
    prior: Prior | None = None,
    *,
    matched: bool = False,
) -> Script:
    """Draw one event of a patient.

    ``duration_s`` of ``None`` draws the length of the video: 20 s and more, up to the prior's longest. With ``matched``
    the seizure's share of a given length does not depend on the diagnosis. The ``prior`` is ``s3`` unless given.
    """
    # The order of the draws below is the random stream: another order changes the data set of every seed.
    prior = prior or load_prior("s3")
    group = prior.groups[patient.diagnosis]
    archetype = _sample_archetype(patient, rng)
    habits = Habits(patient, archetype, rng)
    from_sleep = habits.chance("sleep") < sleep_chances(prior.name, patient.diagnosis)[archetype]
    draws = _sample_signs(patient, prior, archetype, habits, rng)
    lead_in = _sample_lead_in(group, from_sleep, duration_s, matched, rng)
    times = sign_times({slot.feature: drawn for slot, drawn in draws.items()}, group, habits.normal("tempo"))
    times, duration_s = _fit(times, lead_in, duration_s, prior.longest_s, matched, rng)
    events = _sample_events(tuple(draws), times, patient, prior, habits, rng)
    shortest, seizure = _shortest(duration_s), _bounds(times)
    # A sleeper neither glances aside nor yawns until the seizure has opened the eyes.
    awake = seizure[0] + 2.0 if from_sleep else 0.2, seizure[1] - 1.0
    events += tuple(sample_distractors(group, seizure, awake, rng))
    # Distractors included: they move the same parts of the body. The last sign ends before the video does.
    events = make_coherent(events, shortest_s=shortest, last_s=duration_s - 0.4)
    answers = answer_chances(prior.name, patient.diagnosis)[archetype]
    examination = sample_examination(group, answers, seizure, duration_s, rng)
    return Script(
        diagnosis=patient.diagnosis,
        archetype=archetype,
        duration_s=round(duration_s, 3),
        from_sleep=from_sleep,
        events=events,
        examination=examination,
    )


def _sample_archetype(patient: Patient, rng: Generator) -> str:
    # Most events of a patient are of one kind, those of functional patients less so.
    if rng.random() < 1 - VARIABILITY[patient.diagnosis] / 2:
        return patient.archetype
    names, weights = zip(*archetypes.WEIGHTS[patient.diagnosis].items(), strict=True)
    return str(rng.choice(names, p=np.array(weights) / sum(weights)))


def _sample_signs(patient: Patient, prior: Prior, archetype: str, habits: Habits, rng: Generator) -> dict[Slot, Draw]:
    """The slots that are filled; all draw, so that each has the same habit whatever else occurs."""
    chances = sign_chances(prior.name, patient.diagnosis)[archetype]
    slots = tuple(s for s in archetypes.SLOTS[archetype] if s.feature in prior.groups[patient.diagnosis].signs)
    drawn = [(slot, habits.chance(slot.feature), draw(habits, slot.feature)) for slot in slots]
    chosen = {slot: times for slot, chance, times in drawn if chance < chances[slot.feature]}
    # An event of which nothing is visible is drawn again; sign_chances reckons with that.
    while not any(slot.feature != "ictal_vocalization" for slot in chosen):
        chosen = {slot: times for slot, _, times in drawn if rng.random() < chances[slot.feature]}
    if any(slot.feature == "figure4" for slot in chosen):
        chosen |= {slot: times for slot, _, times in drawn if slot.feature in FIGURE4_PARTS}
    return chosen


def _sample_lead_in(
    group: GroupPrior, from_sleep: bool, duration_s: float | None, matched: bool, rng: Generator
) -> float:
    """Seconds of the video before the first sign."""
    # Priors give each diagnosis a lead-in of its own, which would tell them apart in a matched set.
    median = 3.0 if matched else group.lead_in_s
    lead_in = exp(log(median) + 0.7 * rng.standard_normal())
    lead_in = min(max(lead_in, _ASLEEP_S if from_sleep else 0.4), 30.0)
    # A short video leaves most of its time to the seizure.
    return lead_in if duration_s is None else min(lead_in, 0.2 * duration_s)


def _fit(
    times: Times, lead_in: float, duration_s: float | None, longest_s: float, fill: bool, rng: Generator
) -> tuple[Times, float]:
    """The signs in the time of the video, and the length of the video in seconds."""
    # Both are drawn, whichever is used, so that a given length shifts no later draw.
    after, share = rng.uniform(5, 18), rng.uniform(0.08, 0.16)
    if duration_s is None:
        span = max(offset for _, offset in times.values())
        duration_s = min(max(lead_in + span + after, SHORTEST_S), longest_s)
        room = duration_s - lead_in - min(after, 0.5 * (duration_s - lead_in))
    else:
        room = (1 - share) * duration_s - lead_in
    return place(times, lead_in, room, shortest_s=_shortest(duration_s), fill=fill), duration_s


def _shortest(duration_s: float) -> float:
    return min(2.0, 0.08 * duration_s)


def _bounds(times: Times) -> tuple[float, float]:
    return min(onset for onset, _ in times.values()), max(offset for _, offset in times.values())


def _sample_events(
    slots: tuple[Slot, ...], times: Times, patient: Patient, prior: Prior, habits: Habits, rng: Generator
) -> tuple[Event, ...]:
    sides = choose_sides(slots, times, patient, prior, habits)
    return tuple(
        Event(
            feature=slot.feature,
            envelope=_sample_envelope(slot.feature, times[slot.feature], rng),
            side=sides[slot.feature],
            # Never faint: the truth has no grades of a sign.
            intensity=0.75 + 0.25 * rng.random(),
            style=slot.style or ("forced" if patient.diagnosis == "ES" else "fluctuating"),
            seed=int(rng.integers(2**31)),
            **_sample_rate(slot.feature, habits),
        )
        for slot in slots
    )


def _sample_rate(feature: str, habits: Habits) -> dict[str, float]:
    if feature not in _FREQUENCIES:
        return {}
    frequency = habits.between(f"{feature} frequency", _FREQUENCIES[feature])
    slowing = {"final_frequency": frequency * _SLOWING[feature]} if feature in _SLOWING else {}
    return {"frequency": frequency, **slowing}


def _sample_envelope(feature: str, span: tuple[float, float], rng: Generator) -> Envelope:
    ramp = 1.2 if feature in _SLOW_ONSET else 0.4
    return Envelope.spanning(*span, ramp, _sample_pauses(feature, *span, rng))


def _sample_pauses(feature: str, start: float, end: float, rng: Generator) -> tuple[tuple[float, float], ...]:
    # A pause would leave too little of a short sign.
    if feature not in _WITH_PAUSES or end - start < 10:
        return ()
    pauses, moment = [], start + rng.uniform(4, 9)
    # The movement is back before the end, or the pause would set the offset.
    while moment < end - 5:
        rest = rng.uniform(1.5, 3.0)
        pauses.append((moment, moment + rest))
        moment += rest + rng.uniform(5, 12)
    return tuple(pauses)
