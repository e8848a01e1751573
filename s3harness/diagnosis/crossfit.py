"""Out-of-fold diagnoses: every video is diagnosed by a classifier that was fitted without its patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s3harness.diagnosis.cases import Cases, Numbers
from s3harness.diagnosis.fit import Fitted, fit, probabilities
from s3harness.diagnosis.folds import held_out_masks
from s3harness.errors import UsageError
from s3harness.metrics.base import Array


@dataclass(frozen=True, slots=True)
class Fold:
    """A classifier, and the mask of the scored cases whose patients were held out from it."""

    fitted: Fitted
    held_out: NDArray[np.bool_]


Repeat = Sequence[Fold]
"""Folds which together hold out each scored case once."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Diagnoses of all scored cases in each repeat, (repeats, n): probability of ES, and 1 for ES or 0 for NES.

    Both are NaN for a video without an answer about any sign. ``fold`` is the number of the classifier.
    """

    probability: Array
    says_es: Array
    fold: Numbers


def cross_fit(learn: Cases, scored: Cases, folds: Numbers, classifier: str, seed: int) -> list[Fold]:
    """Fit once per fold of the ``scored`` cases, on the ``learn`` cases of all patients that are not in the fold.

    Both are cases of one source, so that a patient has the same number in both. ``learn`` may be other vectors of the
    same patients (those of the annotators), and may hold patients that are not scored.
    """
    fitted_folds = []
    for mask in held_out_masks(folds):
        # By patient, not by video: other videos of a held-out patient must not be learnt from.
        outside = ~np.isin(learn.patients, scored.patients[mask])
        try:
            fitted_folds.append(Fold(fit(learn.take(outside), classifier, seed), mask))
        except UsageError as error:
            # One fold of several failed: its size tells the user whether fewer folds would help.
            counted = f"{mask.sum()} {'video' if mask.sum() == 1 else 'videos'}"
            raise UsageError(f"with {counted} held out: {error}") from error
    return fitted_folds


def diagnose_out_of_fold(repeats: Sequence[Repeat], scored: Cases) -> OutOfFold:
    """Diagnose all cases, each by the classifier of the fold that held its patient out."""
    probability = np.full((len(repeats), len(scored)), np.nan)
    says_es, fold_number = np.full_like(probability, np.nan), np.zeros(probability.shape, dtype=np.int64)
    for row, folds in enumerate(repeats):
        for number, fold in enumerate(folds):
            fold_number[row, fold.held_out] = number
            own = probabilities(fold.fitted, scored.take(fold.held_out))
            probability[row, fold.held_out] = own
            # NaN >= threshold is False, which would be a diagnosis of NES.
            says_es[row, fold.held_out] = np.where(np.isnan(own), np.nan, own >= fold.fitted.threshold)
    return OutOfFold(probability, says_es, fold_number)
