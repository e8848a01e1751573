"""Which wrong answers about signs turned a diagnosis wrong: they are put right, one by one, and it is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from s3harness.diagnosis.cases import Cases
from s3harness.diagnosis.crossfit import Repeat, diagnose_out_of_fold
from s3harness.diagnosis.explain import majority
from s3harness.metrics.base import Array


@dataclass(frozen=True, slots=True)
class Flip:
    """A wrong diagnosis of one video.

    ``wrong`` are the signs that were answered otherwise than annotated; ``flipped_by`` those of which any one, put
    right, makes the diagnosis right. ``by_all`` says whether all of them together do: if not, the classifier is at
    fault, not the answers.
    """

    video: str
    says: Literal["ES", "NES"]
    truth: Literal["ES", "NES"]
    wrong: tuple[str, ...]
    flipped_by: tuple[str, ...]
    by_all: bool


def flips(repeats: Sequence[Repeat], cases: Cases, truths: Cases) -> list[Flip]:
    """The wrong diagnoses of answered cases by the classifiers that they were held out from.

    ``truths`` are what the annotators saw in the same videos, by the same signs; an untested sign is left as answered.
    """
    said = _says_es(repeats, cases)
    found = np.flatnonzero(cases.is_answered & (said != (cases.truth == 1.0)))
    if not len(found):
        return []
    is_wrong = _is_wrong(cases.vectors, truths.vectors)
    patched = np.where(is_wrong, truths.vectors, cases.vectors)
    by_all = _says_es(repeats, replace(cases, vectors=patched))
    turned = np.zeros(is_wrong.shape, dtype=bool)
    for sign in np.flatnonzero(is_wrong[found].any(axis=0)):
        vectors = cases.vectors.copy()
        vectors[:, sign] = patched[:, sign]
        turned[:, sign] = _says_es(repeats, replace(cases, vectors=vectors)) != said
    return [
        Flip(
            cases.videos[n],
            "ES" if said[n] else "NES",
            "NES" if said[n] else "ES",
            _named(cases, is_wrong[n]),
            _named(cases, turned[n] & is_wrong[n]),
            bool(by_all[n] != said[n]),
        )
        for n in found
    ]


def _says_es(repeats: Sequence[Repeat], cases: Cases) -> Array:
    found = diagnose_out_of_fold(repeats, cases)
    thresholds = np.array(
        [[folds[number].fitted.threshold for number in row] for folds, row in zip(repeats, found.fold, strict=True)]
    )
    return np.array(majority(found.probability, thresholds), dtype=bool)


def _is_wrong(said: Array, truth: Array) -> Array:
    """(n, signs): signs annotated as present or absent and not answered so, whatever the probability."""
    is_known = (truth == 1.0) | (truth == 0.0)
    return np.asarray(is_known & ((said < 0) | ((said >= 0.5) != (truth == 1.0))))


def _named(cases: Cases, chosen: Array) -> tuple[str, ...]:
    return tuple(sign for sign, is_chosen in zip(cases.signs, chosen, strict=True) if is_chosen)
