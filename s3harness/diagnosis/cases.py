"""Cases for a diagnosis: one vector of signs per video, with its patient and, if known, its true diagnosis."""

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
"""In a vector: the sign could not be tested, as annotators or model state."""
UNANSWERED = -2.0
"""In a vector: there is no readable answer."""


# Below every probability, so that "values >= 0" selects the signs whose presence is known.


@dataclass(frozen=True, kw_only=True, slots=True)
class Cases:
    """Videos as vectors.

    ``vectors`` (n, signs) hold the probability that a sign is present, 0–1 (0 or 1 for an answer without one),
    :data:`UNTESTED` or :data:`UNANSWERED`. ``patients`` (n,) are numbers within this source; ``truth`` (n,) is 1 for
    ES, 0 for NES, NaN if unknown; ``splits`` are those of the data set, empty if unknown. By their ``marks``, patients
    are recognised in other sources.
    """

    signs: tuple[str, ...]
    videos: tuple[str, ...]
    patients: Numbers
    vectors: Array
    truth: Array
    splits: tuple[str, ...]
    # Without a repr: marks hold names of patients, which must not get into messages and logs.
    marks: Marks = field(repr=False)

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def is_answered(self) -> NDArray[np.bool_]:
        """Mask (n,) of the videos with an answer to any sign; the others get no diagnosis."""
        return np.asarray((self.vectors != UNANSWERED).any(axis=1))

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """Mask (n,) of the videos with a known diagnosis."""
        return np.isfinite(self.truth)

    def take(self, chosen: Any) -> Cases:
        """Return the cases of a mask or of indices, with the marks of their patients alone."""
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
        """Return the same cases by these signs, in this order; signs that the cases lack are unanswered."""
        columns = [
            self.vectors[:, self.signs.index(sign)] if sign in self.signs else np.full(len(self), UNANSWERED)
            for sign in signs
        ]
        return replace(self, signs=tuple(signs), vectors=np.column_stack(columns))

    def variants(self, changes: Sequence[tuple[int, float]]) -> Cases:
        """Return all cases once per change, (changes × n): in each copy one sign, by its index, has one value."""
        # In one table, so that a classifier is called once for all changes.
        copies = self.take(np.tile(np.arange(len(self)), len(changes)))
        vectors = copies.vectors.reshape(len(changes), len(self), -1).copy()
        for number, (sign, value) in enumerate(changes):
            vectors[number, :, sign] = value
        return replace(copies, vectors=vectors.reshape(copies.vectors.shape))


def presence(prediction: Prediction) -> float:
    """Return the number of a predicted sign in a vector."""
    if prediction.value == "na":
        return UNTESTED
    if prediction.value not in ("yes", "no"):
        return UNANSWERED
    probability = prediction.probability
    # A recorded probability may be NaN or out of range; the word is then all that is known.
    if probability is not None and 0.0 <= probability <= 1.0:
        return probability
    return float(prediction.value == "yes")


def presence_of_truth(truth: object) -> float:
    """Return the number of an annotated sign in a vector."""
    return {"yes": 1.0, "no": 0.0, "untested": UNTESTED}.get(str(truth), UNANSWERED)


def patients_per_class(cases: Cases) -> tuple[int, int]:
    """Return the numbers of patients with an epileptic and with a non-epileptic event."""
    # A patient with events of both kinds counts in both.
    es, nes = (len(set(cases.patients[cases.truth == label].tolist())) for label in (1.0, 0.0))
    return es, nes
