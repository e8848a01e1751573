"""The trivial answerers of each kind of item, fitted on other patients than those that they answer about.

An answerer that needs no fitting says the same whatever the data (a constant, the middle of the window). All others are
fitted out of sample: on a training split where one is at hand, else on every patient but the one of the item answered.
One that draws lots is a mixture of answers with weights, so that it can be scored at its expectation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s3harness.metrics.base import Array
from s3harness.metrics.cohort import label_of
from s3harness.metrics.informed import Reader
from s3harness.types import Prediction, Reference

Say = Callable[[Reference], Prediction]
"""One answerer's answer to an item."""
Weigh = Callable[[Sequence[Reference]], Array]
"""How much an answer to each of some items counts, (n,)."""
Mixture = Sequence[tuple[str, Weigh]]
"""Names of answers, and how much each counts; the weights of an item add up to 1."""
Without = Callable[[Reference], int | None]
"""The patient that is left out to answer an item, ``None`` for nobody."""

LEAVE_OUT, TRAIN = "leave-patient-out", "train"


@dataclass(frozen=True)
class Floor:
    """One trivial answerer: the mixture of its answers, and whether anything in it was fitted."""

    mixture: Mixture
    is_fitted: bool = False


@dataclass(frozen=True)
class Answerers:
    """All trivial answerers of some references, by name, and the simulated reader.

    ``says`` gives the answers that their mixtures are made of; ``fitted_on`` says on whom the fitted ones were fitted
    (:data:`LEAVE_OUT` or :data:`TRAIN`). ``reader`` is ``None`` where it cannot be simulated.
    """

    says: Mapping[str, Say]
    floors: Mapping[str, Floor]
    fitted_on: str = ""
    reader: Reader | None = None

    def title(self, name: str) -> str:
        """Return the name of a floor with how it was fitted: ``typical_report (leave-patient-out)``."""
        return f"{name} ({self.fitted_on})" if self.floors[name].is_fitted else name


def certain(references: Sequence[Reference]) -> Array:
    """The weight of the only answer to each item."""
    return np.ones(len(references))


def always(share: float) -> Weigh:
    """The same weight for every item."""
    return lambda references: np.full(len(references), share)


def prediction_of(reference: Reference, value: object) -> Prediction:
    """A value as a prediction, certain of a yes or no."""
    label = label_of(value)
    return Prediction(reference.item, value, probability=float(label == "yes") if label in ("yes", "no") else None)


def sole(name: str, is_fitted: bool = False) -> Floor:
    """Return the floor of one answer to each item."""
    return Floor([(name, certain)], is_fitted)


def coin(one: str, other: str) -> Floor:
    """Return the floor of one answer or the other, by the toss of a coin."""
    return Floor([(one, always(0.5)), (other, always(0.5))])


class Cohort(ABC):
    """What is learnt of the references of one kind of item, one after the other."""

    def __init__(self) -> None:
        self.patients: set[int] = set()

    def add(self, reference: Reference) -> None:
        """Learn from a reference."""
        self.patients.add(reference.cluster)
        self.learn(reference.cluster, reference.subject, reference.truth, reference)

    @abstractmethod
    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Learn what the answerers of this kind of item need of a reference."""

    @abstractmethod
    def answerers(self, left_out: Without) -> Answerers:
        """Return the answerers of what was learnt, with the patient left out that an item says."""
