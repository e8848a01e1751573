"""The trivial answerers of each kind of item, fitted on other patients than those of the items that they answer.

An answerer that needs no fitting has the same answer for all data (a constant, the middle of the window). All others
are fitted out of sample: on a training split if there is one, else on every patient but the one of the item. A random
answerer is a mixture of answers with weights, so that it can be scored at its expectation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s3harness.metrics.base import Array
from s3harness.metrics.cohort import label_of
from s3harness.metrics.simulated_reader import SimulatedReader
from s3harness.types import Prediction, Reference

Say = Callable[[Reference], Prediction]
"""The function of an item that returns one answerer's answer."""
Weigh = Callable[[Sequence[Reference]], Array]
"""The function of n items that returns the weight of an answer to each, (n,)."""
Mixture = Sequence[tuple[str, Weigh]]
"""Names of answers, and their weights; the weights of an item add up to 1."""
Without = Callable[[Reference], int | None]
"""The patient that is left out to answer an item, ``None`` for nobody."""

# Part of the floor's name in score files.
LEAVE_OUT, TRAIN = "leave-patient-out", "train"


@dataclass(frozen=True)
class Floor:
    """One trivial answerer: the mixture of its answers, and ``is_fitted`` where one of them was fitted to data."""

    mixture: Mixture
    is_fitted: bool = False


@dataclass(frozen=True)
class Answerers:
    """All trivial answerers of some references, by name, and the simulated reader.

    ``says`` are the answers that the mixtures consist of; ``fitted_on`` names the patients of the fit
    (:data:`LEAVE_OUT` or :data:`TRAIN`). ``reader`` is ``None`` where it cannot be simulated.
    """

    says: Mapping[str, Say]
    floors: Mapping[str, Floor]
    fitted_on: str = ""
    reader: SimulatedReader | None = None

    def title(self, name: str) -> str:
        """Return the name of a floor with the kind of its fit: ``typical_report (leave-patient-out)``."""
        return f"{name} ({self.fitted_on})" if self.floors[name].is_fitted else name


def certain(references: Sequence[Reference]) -> Array:
    """Return the weight 1 of the only answer to each item."""
    return np.ones(len(references))


def always(share: float) -> Weigh:
    """Return the same weight for every item."""
    return lambda references: np.full(len(references), share)


def prediction_of(reference: Reference, value: object) -> Prediction:
    """Return a value as a prediction, with probability 1 or 0 for a yes or no."""
    # The probability lets the ranking metrics score the trivial answerers too.
    label = label_of(value)
    return Prediction(reference.item, value, probability=float(label == "yes") if label in ("yes", "no") else None)


def sole(name: str, is_fitted: bool = False) -> Floor:
    """Return the floor of one answer to each item."""
    return Floor([(name, certain)], is_fitted)


def coin(one: str, other: str) -> Floor:
    """Return the floor of one answer or the other, by the toss of a coin."""
    return Floor([(one, always(0.5)), (other, always(0.5))])


class Cohort(ABC):
    """The fit of the trivial answerers of one kind of item, updated with one reference at a time."""

    def __init__(self) -> None:
        self.patients: set[int] = set()

    def add(self, reference: Reference) -> None:
        """Learn from a reference."""
        # The number of patients decides whether leaving one out leaves anyone to fit on.
        self.patients.add(reference.cluster)
        self.learn(reference.cluster, reference.subject, reference.truth, reference)

    @abstractmethod
    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Update the fit of this kind of item with a reference."""

    @abstractmethod
    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers; ``left_out`` gives the patient that is left out for an item."""
