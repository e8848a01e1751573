"""The patients: how they look and sound, and what their events have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from s3harness import Diagnosis
from s3harness_synth.archetypes import WEIGHTS
from s3harness_synth.prior import Prior, load_prior
from s3harness_synth.vocabulary import BodySide

Colour = tuple[int, int, int]

EPILEPTIC_SHARE = 0.68
"""Share of patients with epileptic seizures in the benchmark."""

_SKINS: tuple[Colour, ...] = ((241, 205, 178), (226, 180, 148), (198, 146, 110), (150, 102, 72), (104, 70, 50))
_HAIRS: tuple[Colour, ...] = ((40, 30, 26), (74, 48, 32), (120, 82, 48), (176, 136, 84), (150, 70, 40), (150, 148, 146))
_SHIRTS: tuple[Colour, ...] = (
    (120, 164, 196),
    (150, 190, 170),
    (196, 120, 110),
    (208, 190, 130),
    (110, 110, 150),
    (176, 176, 190),
)
_TROUSERS: tuple[Colour, ...] = ((70, 82, 110), (96, 96, 100), (130, 140, 160), (96, 72, 66))


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """The visible traits of a patient; lengths are factors of the average adult."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    size: float
    girth: float
    long_hair: bool
    head_wrap: bool
    patterned: bool


@dataclass(frozen=True, slots=True)
class PatientVoice:
    """The voice of a patient: habitual pitch in Hz, and the factor by which formants lie above a long vocal tract's."""

    pitch_hz: float
    formant_scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One patient. ``habit_seed`` is what the events of one patient have in common (stereotypy).

    ``first_arm`` is the arm that moves first where one arm moves alone, if the prior has a say in it.
    """

    number: int
    diagnosis: Diagnosis
    archetype: str
    focus: BodySide
    first_arm: BodySide
    appearance: Appearance
    voice: PatientVoice
    habit_seed: int

    @property
    def id(self) -> str:
        """An opaque name, unique in the data set."""
        return f"p{self.number:04d}"


def sample_patient(number: int, diagnosis: Diagnosis, rng: Generator, prior: Prior | None = None) -> Patient:
    """Draw a patient with the given diagnosis; ``number`` counts from 1, and the ``prior`` is ``s3`` unless given."""
    prior = prior or load_prior("s3")
    focus: BodySide = "left" if rng.random() < prior.focus_left else "right"
    right_first = (prior.first_arm_right or (0.5, 0.5))[focus == "right"]
    deep = bool(rng.random() < 0.5)
    names, weights = zip(*WEIGHTS[diagnosis].items(), strict=True)
    return Patient(
        number=number,
        diagnosis=diagnosis,
        archetype=str(rng.choice(names, p=np.array(weights) / sum(weights))),
        focus=focus,
        first_arm="right" if rng.random() < right_first else "left",
        appearance=_sample_appearance(rng, deep),
        # A short vocal tract goes with a high voice and lifts all of its formants.
        voice=PatientVoice(rng.uniform(95, 130), 1.0) if deep else PatientVoice(rng.uniform(175, 230), 1.16),
        habit_seed=int(rng.integers(2**31)),
    )


def _sample_appearance(rng: Generator, deep: bool) -> Appearance:
    return Appearance(
        skin=_pick(rng, _SKINS),
        hair=_pick(rng, _HAIRS),
        shirt=_pick(rng, _SHIRTS),
        trousers=_pick(rng, _TROUSERS),
        size=rng.uniform(0.95, 1.04),
        girth=rng.uniform(0.9, 1.2),
        long_hair=bool(rng.random() < (0.1 if deep else 0.75)),
        head_wrap=bool(rng.random() < 0.3),
        patterned=bool(rng.random() < 0.5),
    )


def dressed_anew(patient: Patient, rng: Generator) -> Patient:
    """Return the patient in other clothes, with electrodes wrapped or not."""
    # `deep` only sets the length of the hair, which is not taken over.
    new = _sample_appearance(rng, deep=False)
    # Trousers that a patient kept told the diagnosis by chance: AUC 0.65 over 400 balanced videos.
    clothes = {part: getattr(new, part) for part in ("shirt", "trousers", "patterned", "head_wrap")}
    return replace(patient, appearance=replace(patient.appearance, **clothes))


def _pick(rng: Generator, colours: tuple[Colour, ...]) -> Colour:
    red, green, blue = (int(np.clip(c + rng.integers(-8, 9), 0, 255)) for c in colours[int(rng.integers(len(colours)))])
    return red, green, blue
