"""Out-of-fold diagnoses: every video is diagnosed by a classifier that never met its patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s3harness.diagnosis.cases import Cases, Numbers
from s3harness.diagnosis.fit import Fitted, fit, probabilities
from s3harness.diagnosis.folds import held_out
from s3harness.errors import UsageError
from s3harness.metrics.base import Array


@dataclass(frozen=True, slots=True)
class Fold:
    """A classifier, and the mask of the scored cases whose patients were held out from it."""

    fitted: Fitted
    held_out: NDArray[np.bool_]


Repeat = Sequence[Fold]
"""Folds that hold out each scored case once."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Diagnoses of all scored cases in each repeat, (repeats, n): probability of ES, and whether ES is said.

    Both are NaN where no sign is answered. ``fold`` is the number of the classifier that was asked.
    """

    probability: Array
    says_es: Array
    fold: Numbers


def cross_fit(learn: Cases, scored: Cases, folds: Numbers, classifier: str, seed: int) -> list[Fold]:
    """Fit once per fold of the ``scored`` cases, on the ``learn`` cases of all patients that are not in the fold.

    Both are cases of one source, so that a patient has one number. ``learn`` may be other vectors of the same
    patients (what the annotators saw), and may hold patients that are not scored.
    """
    made = []
    for mask in held_out(folds):
        outside = ~np.isin(learn.patients, scored.patients[mask])
        try:
            made.append(Fold(fit(learn.take(outside), classifier, seed), mask))
        except UsageError as error:
            raise UsageError(f"with {mask.sum()} videos held out: {error}") from error
    return made


def diagnose_out_of_fold(repeats: Sequence[Repeat], scored: Cases) -> OutOfFold:
    """Ask each fold's classifier about the patients that were held out from it."""
    found = np.full((len(repeats), len(scored)), np.nan)
    said, asked = np.full_like(found, np.nan), np.zeros(found.shape, dtype=np.int64)
    for row, folds in enumerate(repeats):
        for number, fold in enumerate(folds):
            asked[row, fold.held_out] = number
            own = probabilities(fold.fitted, scored.take(fold.held_out))
            found[row, fold.held_out] = own
            said[row, fold.held_out] = np.where(np.isnan(own), np.nan, own >= fold.fitted.threshold)
    return OutOfFold(found, said, asked)
