"""Causes of wrong diagnoses: wrong answers about signs are corrected one by one, and the video is diagnosed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from s3harness.diagnosis.cases import Cases
from s3harness.diagnosis.crossfit import Repeat, diagnose_out_of_fold
from s3harness.diagnosis.explain import majority
from s3harness.metrics.base import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip:
    """A wrong diagnosis of one video.

    ``wrong`` are the signs that were answered otherwise than annotated; ``flipped_by`` are those of which each alone,
    corrected, makes the diagnosis right. ``by_all`` is ``True`` if all of them together do: if not, the classifier is
    at fault, not the answers.
    """

    video: str
    says: Literal["ES", "NES"]
    truth: Literal["ES", "NES"]
    wrong: tuple[str, ...]
    flipped_by: tuple[str, ...]
    by_all: bool


def flips(repeats: Sequence[Repeat], cases: Cases, truths: Cases) -> list[Flip]:
    """Return the wrong diagnoses of answered cases by the classifiers that they were held out from.

    ``truths`` are the annotations of the same videos, by the same signs; an untested sign is left as answered.
    """
    says_es = _says_es(repeats, cases)
    wrong_diagnoses = np.flatnonzero(cases.is_answered & (says_es != (cases.truth == 1.0)))
    if not len(wrong_diagnoses):
        return []
    is_wrong = _is_wrong(cases.vectors, truths.vectors)
    corrected = np.where(is_wrong, truths.vectors, cases.vectors)
    by_all = _says_es(repeats, replace(cases, vectors=corrected))
    turned = np.zeros(is_wrong.shape, dtype=bool)
    # One pass for each sign that any wrong diagnosis has wrong, for all videos at once.
    for sign in np.flatnonzero(is_wrong[wrong_diagnoses].any(axis=0)):
        vectors = cases.vectors.copy()
        vectors[:, sign] = corrected[:, sign]
        turned[:, sign] = _says_es(repeats, replace(cases, vectors=vectors)) != says_es
    return [
        Flip(
            video=cases.videos[n],
            says="ES" if says_es[n] else "NES",
            truth="NES" if says_es[n] else "ES",
            wrong=_sign_names(cases, is_wrong[n]),
            flipped_by=_sign_names(cases, turned[n] & is_wrong[n]),
            by_all=bool(by_all[n] != says_es[n]),
        )
        for n in wrong_diagnoses
    ]


def _says_es(repeats: Sequence[Repeat], cases: Cases) -> Array:
    out_of_fold = diagnose_out_of_fold(repeats, cases)
    # Each fold has a threshold of its own.
    thresholds = np.array(
        [
            [folds[number].fitted.threshold for number in row]
            for folds, row in zip(repeats, out_of_fold.fold, strict=True)
        ]
    )
    return np.array(majority(out_of_fold.probability, thresholds), dtype=bool)


def _is_wrong(says_es: Array, truth: Array) -> Array:
    """Return the mask (n, signs) of the signs that are annotated as present or absent and answered otherwise."""
    # No answer is a wrong answer: values below zero are untested or unanswered.
    is_known = (truth == 1.0) | (truth == 0.0)
    return np.asarray(is_known & ((says_es < 0) | ((says_es >= 0.5) != (truth == 1.0))))


def _sign_names(cases: Cases, chosen: Array) -> tuple[str, ...]:
    return tuple(sign for sign, is_chosen in zip(cases.signs, chosen, strict=True) if is_chosen)
