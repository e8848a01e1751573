"""Traits that a patient shows in every event, and those that are new in each."""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist

from numpy.random import Generator

from s3harness import Diagnosis
from s3harness_synth.patient import Patient

VARIABILITY: dict[Diagnosis, float] = {"ES": 0.3, "NES": 0.75}
"""Chance that a trait of an event is drawn anew rather than being the patient's habit."""


class Habits:
    """Random numbers that are the patient's own, or fresh for this event as often as the diagnosis is variable.

    Every trait is asked for by a name of its own, once in an event.
    """

    def __init__(self, patient: Patient, archetype: str, rng: Generator) -> None:
        """``rng`` makes what is fresh."""
        self._own = f"{patient.habit_seed} {archetype}"
        self._fresh = rng
        self._variability = VARIABILITY[patient.diagnosis]

    def chance(self, trait: str) -> float:
        """Return a number uniform in 0–1."""
        # Both are drawn whether they are needed or not, so that no trait shifts the draws of the next.
        fresh, anew = self._fresh.random(), self._fresh.random()
        if anew < self._variability:
            return float(fresh)
        # A hash, not a generator: the habit must not depend on the order in which traits are asked for.
        digest = blake2b(f"{self._own} {trait}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def normal(self, trait: str) -> float:
        """Return a standard normal number."""
        # The quantiles of 0 and 1 are infinite.
        return NormalDist().inv_cdf(min(max(self.chance(trait), 1e-6), 1 - 1e-6))

    def between(self, trait: str, bounds: tuple[float, float]) -> float:
        """Return a number uniform between two bounds."""
        return bounds[0] + (bounds[1] - bounds[0]) * self.chance(trait)
