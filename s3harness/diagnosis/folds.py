"""Folds of patients: all videos of a patient are in one fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from s3harness.dataset.split import split_patients
from s3harness.diagnosis.cases import Cases, Numbers, patients_per_class
from s3harness.errors import UsageError
from s3harness.types import Video

LEFT_TO_CHOOSE = 2
"""Least number of training patients of each diagnosis, so that inner folds can choose settings and threshold."""
PAPER_FOLDS = tuple(f"fold{number}" for number in range(5))
"""The folds of the authors' release, as its import names them."""


def deal_folds(cases: Cases, folds: int, seed: int, *, left: int = LEFT_TO_CHOOSE) -> Numbers:
    """Return the fold of each case, (n,): patients with ES, with NES and with both are each dealt out evenly.

    The same cases and seed give the same folds on every machine and with every version. Raises :class:`UsageError`
    if so many folds would not leave ``left`` patients of each diagnosis to learn from.
    """
    require_patients(cases, folds, left)
    names = [str(fold) for fold in range(folds)]
    people = [
        Video(video, str(patient), diagnosis="ES" if truth else "NES")
        for video, patient, truth in zip(cases.videos, cases.patients, cases.truth, strict=True)
    ]
    dealt = split_patients(people, names, [1.0] * folds, seed)
    numbers = np.array([int(dealt[str(patient)]) for patient in cases.patients], dtype=np.int64)
    # Counts of patients do not suffice: patients with both diagnoses are dealt out by themselves.
    for mask in held_out_masks(numbers):
        require_both_classes(cases.take(~mask))
    return numbers


def folds_of_splits(cases: Cases, wanted: str) -> Numbers:
    """Return the fold of each case by the data set's own splits; ``paper`` requires the five of the authors' release.

    Raises :class:`UsageError` if the splits are missing, or a patient is in two.
    """
    names = sorted(set(cases.splits))
    available = f"the splits here are {', '.join(name or '(none)' for name in names)}"
    if wanted == "paper" and not set(names) <= set(PAPER_FOLDS):
        raise UsageError(
            f"the authors' folds are {PAPER_FOLDS[0]} to {PAPER_FOLDS[-1]}, and {available}; use --folds 5"
        )
    if wanted != "paper" and (len(names) < 2 or "" in names):
        raise UsageError(
            f"--folds split needs two splits or more, and {available}; use --folds 5, or s3harness data split"
        )
    # A patient in two splits would be learnt from in one fold and scored in another.
    straddling = [p for p in set(cases.patients.tolist()) if len(_splits_of(cases, p)) > 1]
    if straddling:
        subject = "1 patient is" if len(straddling) == 1 else f"{len(straddling)} patients are"
        raise UsageError(f"{subject} in more than one split: make splits by s3harness data split")
    return np.array([names.index(split) for split in cases.splits], dtype=np.int64)


def require_both_classes(cases: Cases) -> None:
    """Raise :class:`UsageError` unless there are both epileptic and non-epileptic events."""
    if not len(cases):
        raise UsageError("no video has both a diagnosis and an answer about a sign, so no classifier can be fitted")
    if 0 in patients_per_class(cases):
        absent = "NES" if cases.truth.all() else "ES"
        raise UsageError(
            f"there is no {absent} among the {len(cases)} training videos ({_patient_counts(cases)}), but a classifier "
            "needs both classes; add such videos, or use more splits"
        )


def patients_needed(folds: int, left: int = LEFT_TO_CHOOSE) -> int:
    """Return the number of patients of each diagnosis that leaves ``left`` outside of every one of ``folds`` folds."""
    # The largest fold holds ⌈n/folds⌉ of n patients that are dealt out evenly.
    return next(n for n in range(folds, folds + 2 * left + 2) if n - -(-n // folds) >= left)


def held_out_masks(folds: Numbers) -> list[NDArray[np.bool_]]:
    """Return the mask of the cases of each fold."""
    return [folds == fold for fold in np.unique(folds)]


def in_splits(cases: Cases, names: Sequence[str]) -> NDArray[np.bool_]:
    """Return the mask of the cases of these splits, of all if none is named; :class:`UsageError` for an empty one."""
    unknown = [name for name in names if name not in cases.splits]
    if unknown:
        available = ", ".join(sorted({split for split in cases.splits if split})) or "none that is known"
        remedy = "" if any(cases.splits) else " (the splits of a run's videos are in its data set: --data DIR)"
        raise UsageError(f"there are no videos of split {', '.join(unknown)}; there is {available}{remedy}")
    return np.array([not names or split in names for split in cases.splits], dtype=np.bool_)


def require_patients(cases: Cases, folds: int, left: int = LEFT_TO_CHOOSE) -> None:
    """Raise :class:`UsageError` unless so many folds leave ``left`` patients of each diagnosis to learn from."""
    require_both_classes(cases)
    # The rarer diagnosis decides.
    fewest, needed = min(patients_per_class(cases)), patients_needed(folds, left)
    if fewest < needed:
        possible = [n for n in range(2, folds) if patients_needed(n, left) <= fewest]
        remedy = f"use --folds {possible[-1]}, or more patients" if possible else "more patients are needed"
        counted = f"{folds} folds need {needed} patients of each diagnosis with answers"
        raise UsageError(f"{counted}, and there are {_patient_counts(cases)}; {remedy}")


def _splits_of(cases: Cases, patient: int) -> set[str]:
    return {split for split, own in zip(cases.splits, cases.patients, strict=True) if own == patient}


def _patient_counts(cases: Cases) -> str:
    es, nes = patients_per_class(cases)
    return f"{es} {'patient' if es == 1 else 'patients'} with ES, {nes} with NES"
