"""The patients of a data set, each with a number of videos and a split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from s3harness import Diagnosis
from s3harness_synth.patient import EPILEPTIC_SHARE, Patient, sample_patient
from s3harness_synth.prior import Prior

VIDEOS_PER_PATIENT = 3
TEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Member:
    """One patient of the data set with the number of videos and the split."""

    patient: Patient
    videos: int
    split: Literal["train", "test"]


def sample_cohort(videos: int, seed: int, prior: Prior | None = None) -> tuple[Member, ...]:
    """Draw patients for ``videos`` videos: about three each, a fifth in the test split, both diagnoses from two on."""
    rng = np.random.default_rng([seed, 0])
    # Two patients at least, so that there is one of each diagnosis and one to test.
    count = min(videos, max(2, round(videos / VIDEOS_PER_PATIENT)))
    extra = rng.multinomial(videos - count, np.full(count, 1 / count))
    diagnoses = _sample_diagnoses(count, rng)
    # By patient, not by video: a model could learn the habits of a test patient in training.
    test = _choose_test(diagnoses, rng)
    return tuple(
        Member(
            # A stream for each patient: the draws of one do not shift those of the others.
            sample_patient(number + 1, diagnoses[number], np.random.default_rng([seed, 1, number]), prior),
            1 + int(extra[number]),
            "test" if number in test else "train",
        )
        for number in range(count)
    )


def _sample_diagnoses(count: int, rng: Generator) -> list[Diagnosis]:
    diagnoses: list[Diagnosis] = ["ES" if chance < EPILEPTIC_SHARE else "NES" for chance in rng.random(count)]
    # A data set of one diagnosis alone has no score of Task 7.
    if count >= 2 and len(set(diagnoses)) == 1:
        diagnoses[int(rng.integers(count))] = "NES" if diagnoses[0] == "ES" else "ES"
    return diagnoses


def _choose_test(diagnoses: list[Diagnosis], rng: Generator) -> set[int]:
    """Numbers of the test patients; with two or more of them, and of each diagnosis, both diagnoses occur."""
    count = len(diagnoses)
    if count < 2:
        return set()
    wanted = max(1, round(TEST_SHARE * count))
    order = [int(number) for number in rng.permutation(count)]
    chosen = order[:wanted]
    if wanted >= 2 and len({diagnoses[number] for number in chosen}) == 1:
        other = [number for number in order[wanted:] if diagnoses[number] != diagnoses[chosen[0]]]
        chosen[-1] = other[0] if other else chosen[-1]
    return set(chosen)
