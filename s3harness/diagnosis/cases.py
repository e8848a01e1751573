"""What a diagnosis is made from: one vector of signs per video, who the patient is, and what is known of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s3harness.dataset.known_patients import Marks
from s3harness.metrics.base import Array
from s3harness.types import Prediction

Numbers = NDArray[np.int64]

UNTESTED = -1.0
"""In a vector: nobody could tell, or the model says so."""
UNANSWERED = -2.0
"""In a vector: there is no readable answer."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Videos as vectors.

    ``vectors`` (n, signs) hold the probability that a sign is present, 0–1 (0 or 1 where there is but a word),
    :data:`UNTESTED` or :data:`UNANSWERED`. ``patients`` (n,) are numbers of this source alone; ``truth`` (n,) is 1 for
    ES, 0 for NES, NaN where unknown; ``splits`` are those of the data set, empty where unknown; ``marks`` are what the
    patients are recognised by elsewhere.
    """

    signs: tuple[str, ...]
    videos: tuple[str, ...]
    patients: Numbers
    vectors: Array
    truth: Array
    splits: tuple[str, ...]
    marks: Marks = field(repr=False)

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def is_answered(self) -> NDArray[np.bool_]:
        """(n,): whether there is an answer to any sign. A video without one gets no diagnosis."""
        return np.asarray((self.vectors != UNANSWERED).any(axis=1))

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """(n,): whether the truth is known."""
        return np.isfinite(self.truth)

    def take(self, chosen: Any) -> Cases:
        """The cases of a mask or of numbers, with the marks of their patients."""
        numbers = np.arange(len(self))[chosen]
        patients = self.patients[numbers]
        return replace(
            self,
            videos=tuple(self.videos[n] for n in numbers),
            patients=patients,
            vectors=self.vectors[numbers],
            truth=self.truth[numbers],
            splits=tuple(self.splits[n] for n in numbers),
            marks={patient: self.marks[patient] for patient in set(patients.tolist())},
        )

    def of_signs(self, signs: Sequence[str]) -> Cases:
        """The same cases by these signs, in this order; a sign that was not asked for is unanswered."""
        columns = [
            self.vectors[:, self.signs.index(sign)] if sign in self.signs else np.full(len(self), UNANSWERED)
            for sign in signs
        ]
        return replace(self, signs=tuple(signs), vectors=np.column_stack(columns))

    def variants(self, changes: Sequence[tuple[int, float]]) -> Cases:
        """All cases once for each change, a number of a sign and the value that all have of it: (changes × n)."""
        made = self.take(np.tile(np.arange(len(self)), len(changes)))
        vectors = made.vectors.reshape(len(changes), len(self), -1).copy()
        for number, (sign, value) in enumerate(changes):
            vectors[number, :, sign] = value
        return replace(made, vectors=vectors.reshape(made.vectors.shape))


def presence(prediction: Prediction) -> float:
    """What a prediction says of a sign, as a number of a vector."""
    if prediction.value == "na":
        return UNTESTED
    if prediction.value not in ("yes", "no"):
        return UNANSWERED
    probability = prediction.probability
    if probability is not None and 0.0 <= probability <= 1.0:
        return probability
    return float(prediction.value == "yes")


def presence_of_truth(truth: object) -> float:
    """What the annotators say of a sign, as a number of a vector."""
    return {"yes": 1.0, "no": 0.0, "untested": UNTESTED}.get(str(truth), UNANSWERED)


def patients_of_each(cases: Cases) -> tuple[int, int]:
    """How many patients have an epileptic event, and how many a non-epileptic one."""
    es, nes = (len(set(cases.patients[cases.truth == label].tolist())) for label in (1.0, 0.0))
    return es, nes
