"""What a patient does every time, and what is new in each event."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from s3harness.synth.archetypes import SLOTS
from s3harness.synth.patient import Patient
from s3harness.types import Diagnosis

VARIABILITY: dict[Diagnosis, float] = {"ES": 0.3, "NES": 0.75}
"""Chance that a trait of an event is drawn anew rather than being the patient's habit."""


class Habits:
    """Random numbers that are the patient's own, or fresh for this event as often as the diagnosis is variable.

    To have the same habit in two events a trait must be drawn at the same place of the sequence.
    """

    def __init__(self, patient: Patient, archetype: str, rng: Generator) -> None:
        """``rng`` makes what is fresh."""
        kind = sorted(SLOTS).index(archetype)
        self._own = np.random.default_rng([patient.habit_seed, kind])
        self._fresh = rng
        self._variability = VARIABILITY[patient.diagnosis]

    def chance(self) -> float:
        """Uniform in 0–1."""
        own, fresh, anew = self._own.random(), self._fresh.random(), self._fresh.random()
        return float(fresh if anew < self._variability else own)

    def normal(self) -> float:
        """Standard normal."""
        return NormalDist().inv_cdf(min(max(self.chance(), 1e-6), 1 - 1e-6))

    def between(self, bounds: tuple[float, float]) -> float:
        """Uniform between two numbers."""
        return bounds[0] + (bounds[1] - bounds[0]) * self.chance()
