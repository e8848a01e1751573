"""Folds of patients: nobody is in two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from s3harness.dataset.split import split_patients
from s3harness.diagnosis.cases import Cases, Numbers, patients_of_each
from s3harness.errors import UsageError
from s3harness.types import Video

LEFT_TO_CHOOSE = 2
"""Patients of each diagnosis that must be left to learn from, so that these can be split once more to choose."""
PAPER_FOLDS = tuple(f"fold{number}" for number in range(5))
"""The folds of the authors' release, as its import names them."""


def deal_folds(cases: Cases, folds: int, seed: int, *, left: int = LEFT_TO_CHOOSE) -> Numbers:
    """The fold of each case, (n,): patients with ES, with NES and with both are each dealt out evenly.

    The same cases and seed give the same folds on every machine and with every version. Raises :class:`UsageError`
    where so many folds would not leave ``left`` patients of each diagnosis to learn from.
    """
    require_patients(cases, folds, left)
    names = [str(fold) for fold in range(folds)]
    people = [
        Video(video, str(patient), diagnosis="ES" if truth else "NES")
        for video, patient, truth in zip(cases.videos, cases.patients, cases.truth, strict=True)
    ]
    dealt = split_patients(people, names, [1.0] * folds, seed)
    numbers = np.array([int(dealt[str(patient)]) for patient in cases.patients], dtype=np.int64)
    for mask in held_out(numbers):
        require_both(cases.take(~mask))
    return numbers


def folds_of_splits(cases: Cases, wanted: str) -> Numbers:
    """The fold of each case by the data set's own splits; ``paper`` means the five of the authors' release.

    Raises :class:`UsageError` if these are not there, or a patient is in two.
    """
    names = sorted(set(cases.splits))
    known = f"the splits here are {', '.join(name or '(none)' for name in names)}"
    if wanted == "paper" and not set(names) <= set(PAPER_FOLDS):
        raise UsageError(f"the authors' folds are {PAPER_FOLDS[0]} to {PAPER_FOLDS[-1]}, and {known}; use --folds 5")
    if wanted != "paper" and (len(names) < 2 or "" in names):
        raise UsageError(f"--folds split needs two splits or more, and {known}; use --folds 5, or s3harness data split")
    straddling = [p for p in set(cases.patients.tolist()) if len(_splits_of(cases, p)) > 1]
    if straddling:
        raise UsageError(f"{len(straddling)} patients are in more than one split: make splits by s3harness data split")
    return np.array([names.index(split) for split in cases.splits], dtype=np.int64)


def require_both(cases: Cases) -> None:
    """Raise :class:`UsageError` unless there are epileptic and non-epileptic events."""
    if not len(cases):
        raise UsageError("no video has both a diagnosis and an answer about a sign, so no classifier can be fitted")
    if 0 in patients_of_each(cases):
        absent = "NES" if cases.truth.all() else "ES"
        raise UsageError(
            f"there is no {absent} among the {len(cases)} training videos ({_counted(cases)}), but a classifier needs "
            "both classes; add such videos, or use more splits"
        )


def patients_needed(folds: int, left: int = LEFT_TO_CHOOSE) -> int:
    """How many patients of each diagnosis so many folds need, for ``left`` to be there when one fold is held out."""
    return next(n for n in range(folds, folds + 2 * left + 2) if n - -(-n // folds) >= left)


def held_out(folds: Numbers) -> list[NDArray[np.bool_]]:
    """For each fold the mask of its cases."""
    return [folds == fold for fold in np.unique(folds)]


def in_splits(cases: Cases, names: Sequence[str]) -> NDArray[np.bool_]:
    """The mask of the cases of these splits, of all if none is named; :class:`UsageError` for one without a case."""
    unknown = [name for name in names if name not in cases.splits]
    if unknown:
        known = ", ".join(sorted({split for split in cases.splits if split})) or "none that is known"
        remedy = "" if any(cases.splits) else " (the splits of a run's videos are in its data set: --data DIR)"
        raise UsageError(f"there are no videos of split {', '.join(unknown)}; there is {known}{remedy}")
    return np.array([not names or split in names for split in cases.splits], dtype=np.bool_)


def require_patients(cases: Cases, folds: int, left: int = LEFT_TO_CHOOSE) -> None:
    """Raise :class:`UsageError` unless so many folds leave ``left`` patients of each diagnosis to learn from."""
    require_both(cases)
    fewest, needed = min(patients_of_each(cases)), patients_needed(folds, left)
    if fewest < needed:
        possible = [n for n in range(2, folds) if patients_needed(n, left) <= fewest]
        remedy = f"use --folds {possible[-1]}, or more patients" if possible else "more patients are needed"
        counted = f"{folds} folds need {needed} patients of each diagnosis with answers"
        raise UsageError(f"{counted}, and there are {_counted(cases)}; {remedy}")


def _splits_of(cases: Cases, patient: int) -> set[str]:
    return {split for split, own in zip(cases.splits, cases.patients, strict=True) if own == patient}


def _counted(cases: Cases) -> str:
    es, nes = patients_of_each(cases)
    return f"{es} patients with ES, {nes} with NES"
