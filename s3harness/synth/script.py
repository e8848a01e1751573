"""The script of one event: which signs, from when to when, on which side, how strong. All truth comes from here."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from s3harness.synth import archetypes
from s3harness.synth.archetypes import Slot
from s3harness.synth.coherence import make_coherent
from s3harness.synth.envelope import Envelope
from s3harness.synth.event import Event, Examination, Script
from s3harness.synth.patient import Patient
from s3harness.synth.vocabulary import opposite
from s3harness.types import Diagnosis, Side

SPAN_LOG_NORMAL: dict[Diagnosis, tuple[float, float]] = {"ES": (3.95, 0.87), "NES": (4.39, 1.34)}
"""Mean and standard deviation of the log of the event's span in seconds, from the benchmark's labels."""

TESTED_CHANCE: dict[Diagnosis, float] = {"ES": 0.42, "NES": 0.64}
ANSWERED_CHANCE: dict[Diagnosis, float] = {"ES": 0.24, "NES": 0.34}
"""Share of events in which somebody tests responsiveness, and of the tested in which the patient answers."""

VARIABILITY: dict[Diagnosis, float] = {"ES": 0.3, "NES": 0.75}
"""Chance that a trait of an event is drawn anew rather than being the patient's habit."""

ONSET_SPREAD = 0.06
"""Standard deviation of an onset about its slot, as a share of the event's span: the order of signs varies."""

SHORTEST_S, LONGEST_S = 20.0, 180.0

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
    "head_shaking": (0.7, 1.2),
}
_SLOWING = {"clonic": 0.3, "face_twitching": 0.6}
_WITH_PAUSES = frozenset({"asynchronous_movement", "pelvic_thrusting", "full_body_shaking"})
_SLOW_ONSET = frozenset({"tonic", "arm_straightening", "arm_flexion", "figure4", "head_turning"})


def sample_script(patient: Patient, rng: Generator, duration_s: float | None = None) -> Script:
    """Draws one event of a patient. ``duration_s`` of ``None`` draws the video's length, 20–180 s, from the priors."""
    span = _sample_span(patient.diagnosis, rng)
    if duration_s is None:
        duration_s = float(np.clip(span + rng.uniform(8, 22), SHORTEST_S, LONGEST_S))
    archetype = _sample_archetype(patient, rng)
    habits = _Habits(patient, archetype, rng)
    from_sleep = habits.chance() < archetypes.SLEEP_CHANCE[archetype]
    start = duration_s * (rng.uniform(0.13, 0.2) if from_sleep else rng.uniform(0.06, 0.15))
    end = duration_s * rng.uniform(0.82, 0.9)
    events = _sample_events(patient, archetype, (start, min(end, start + max(span, 0.55 * duration_s))), habits, rng)
    events = make_coherent(events, shortest_s=min(2.0, 0.08 * duration_s))
    examination = _sample_examination(patient, events, duration_s, rng)
    return Script(patient.diagnosis, archetype, round(duration_s, 3), from_sleep, events, examination)


class _Habits:
    """Random numbers that are the patient's own, or fresh for this event as often as the diagnosis is variable."""

    def __init__(self, patient: Patient, archetype: str, rng: Generator) -> None:
        kind = sorted(archetypes.SLOTS).index(archetype)
        self._own = np.random.default_rng([patient.habit_seed, kind])
        self._fresh = rng
        self._variability = VARIABILITY[patient.diagnosis]

    def chance(self) -> float:
        own, fresh, anew = self._own.random(), self._fresh.random(), self._fresh.random()
        return float(fresh if anew < self._variability else own)

    def between(self, bounds: tuple[float, float]) -> float:
        return bounds[0] + (bounds[1] - bounds[0]) * self.chance()


def _sample_span(diagnosis: Diagnosis, rng: Generator) -> float:
    mean, spread = SPAN_LOG_NORMAL[diagnosis]
    return float(np.clip(rng.lognormal(mean, spread), 12.0, LONGEST_S - 15.0))


def _sample_archetype(patient: Patient, rng: Generator) -> str:
    if rng.random() < 1 - VARIABILITY[patient.diagnosis] / 2:
        return patient.archetype
    names, weights = zip(*archetypes.WEIGHTS[patient.diagnosis].items(), strict=True)
    return str(rng.choice(names, p=np.array(weights) / sum(weights)))


def _sample_events(
    patient: Patient, archetype: str, span: tuple[float, float], habits: _Habits, rng: Generator
) -> tuple[Event, ...]:
    slots = archetypes.SLOTS[archetype]
    drawn = [(slot, habits.chance()) for slot in slots]
    chosen = [slot for slot, chance in drawn if chance < slot.chance]
    if not any(slot.feature != "ictal_vocalization" for slot in chosen):
        chosen.append(max(slots, key=lambda slot: slot.chance))
    return tuple(_sample_event(slot, patient, span, habits, rng) for slot in chosen)


def _sample_event(slot: Slot, patient: Patient, span: tuple[float, float], habits: _Habits, rng: Generator) -> Event:
    length = span[1] - span[0]
    onset = habits.between(slot.onset) + rng.normal(0, ONSET_SPREAD)
    start = span[0] + length * min(max(onset, rng.uniform(0, 0.02)), 0.9)
    end = min(start + length * habits.between(slot.length), span[1])
    frequency = habits.between(_FREQUENCIES[slot.feature]) if slot.feature in _FREQUENCIES else None
    ramp = 1.2 if slot.feature in _SLOW_ONSET else 0.4
    return Event(
        feature=slot.feature,
        envelope=Envelope(start, end, ramp, ramp, _sample_pauses(slot.feature, start, end, rng)),
        side=_sample_side(slot, patient, habits),
        intensity=0.75 + 0.25 * rng.random(),
        frequency=frequency,
        final_frequency=frequency * _SLOWING[slot.feature] if frequency and slot.feature in _SLOWING else None,
        style=_style(slot, patient),
        seed=int(rng.integers(2**31)),
    )


def _style(slot: Slot, patient: Patient) -> str:
    return slot.style or ("forced" if patient.diagnosis == "ES" else "fluctuating")


def _sample_side(slot: Slot, patient: Patient, habits: _Habits) -> Side | None:
    both = habits.chance() < 0.45
    if not slot.side:
        return None
    if slot.side == "both" or (slot.side == "contralateral or both" and both):
        return "both"
    return patient.focus if slot.side == "ipsilateral" else opposite(patient.focus)


def _sample_pauses(feature: str, start: float, end: float, rng: Generator) -> tuple[tuple[float, float], ...]:
    if feature not in _WITH_PAUSES or end - start < 10:
        return ()
    pauses, moment = [], start + rng.uniform(4, 9)
    while moment < end - 5:
        rest = rng.uniform(1.5, 3.0)
        pauses.append((moment, moment + rest))
        moment += rest + rng.uniform(5, 12)
    return tuple(pauses)


def _sample_examination(
    patient: Patient, events: tuple[Event, ...], duration_s: float, rng: Generator
) -> Examination | None:
    tested = rng.random() < TESTED_CHANCE[patient.diagnosis]
    answers = rng.random() < ANSWERED_CHANCE[patient.diagnosis]
    asks, reply_after, phrase = rng.uniform(0.4, 0.6), rng.uniform(0.8, 1.6), int(rng.integers(100))
    if not tested:
        return None
    first, last = min(e.envelope.start_s for e in events), max(e.envelope.end_s for e in events)
    asked = first + asks * (last - first)
    room = duration_s - asked
    if room < 4.0:
        return None
    return Examination(asked, asked + 1.5 + reply_after if answers else None, phrase)
