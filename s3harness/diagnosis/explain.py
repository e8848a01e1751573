"""Which signs moved the diagnosis of one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from s3harness.diagnosis.cases import UNANSWERED, UNTESTED, Cases
from s3harness.diagnosis.contract import load_classifier
from s3harness.diagnosis.crossfit import Repeat
from s3harness.diagnosis.fit import Fitted, probabilities
from s3harness.metrics.base import Array

Unit = Literal["log-odds", "probability"]
CERTAIN = 1e-12
"""How near to 0 or 1 a probability is taken to be, for its log-odds to be finite."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A sign as it was answered, and by how much it moved the diagnosis towards ES (or, negative, towards NES)."""

    sign: str
    said: str
    by: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The diagnosis of one video, means of repeats, and its signs, those that moved it most first.

    In ``log-odds`` the moves are exact: ``base``, what a video with the mean of every column would get, and all moves
    add up to the log-odds of the probability (of one repeat). In ``probability`` each is the difference that it makes
    to know the sign rather than not to know which of the values of the training videos it has; these need not add up,
    and there is no base.
    """

    video: str
    probability: float | None
    threshold: float
    says: Literal["ES", "NES"] | None
    truth: Literal["ES", "NES"] | None
    unit: Unit
    base: float | None
    moved: tuple[Moved, ...]


def explain(repeats: Sequence[Repeat], cases: Cases) -> list[Explanation]:
    """The explanations of cases by the classifiers that they were held out from."""
    found = np.full((len(repeats), len(cases)), np.nan)
    threshold, base = np.zeros_like(found), np.zeros_like(found)
    moves = np.zeros((len(repeats), *cases.vectors.shape))
    unit: Unit = "probability"
    for row, folds in enumerate(repeats):
        for fold in folds:
            own = cases.take(fold.held_out)
            found[row, fold.held_out] = probabilities(fold.fitted, own)
            threshold[row, fold.held_out] = fold.fitted.threshold
            unit, base[row, fold.held_out], moves[row, fold.held_out] = _moves(fold.fitted, own)
    means = found.mean(axis=0)
    says = majority(found, threshold)
    return [
        _explanation(
            cases,
            n,
            means[n],
            float(threshold[:, n].mean()),
            says[n],
            unit,
            base[:, n].mean(),
            moves[:, n].mean(axis=0),
        )
        for n in range(len(cases))
    ]


def said_of(value: float) -> str:
    """A number of a vector in words."""
    if value in (UNTESTED, UNANSWERED):
        return "untested" if value == UNTESTED else "unanswered"
    return {1.0: "present", 0.0: "absent"}.get(value, f"present with {value:.2f}")


def majority(probability: Array, threshold: Array) -> list[bool]:
    """Whether most repeats say ES; the mean distance to the threshold breaks a tie."""
    votes = np.where(probability >= threshold, 1.0, -1.0).sum(axis=0)
    distance = np.nan_to_num((probability - threshold).mean(axis=0))
    return [bool(vote > 0 or (vote == 0 and far >= 0)) for vote, far in zip(votes, distance, strict=True)]


def _moves(fitted: Fitted, cases: Cases) -> tuple[Unit, Array, Array]:
    """Unit, base (n,), and moves (n, signs), in the order of the signs of the cases."""
    made, encoder = load_classifier(fitted.classifier), fitted.encoder
    columns = encoder.encode(cases)
    parts = made.contributions(fitted.parameters, columns)
    if parts is None:
        return "probability", *_occlusion(fitted, cases)
    means = made.contributions(fitted.parameters, np.array([encoder.means]))
    assert means is not None
    log_odds = _logit(made.probability(fitted.parameters, columns))
    centred = parts - means
    by_sign = [
        centred[:, [n for n, (own, _) in enumerate(encoder.columns) if own == sign]].sum(axis=1) for sign in cases.signs
    ]
    return "log-odds", log_odds - centred.sum(axis=1), np.column_stack(by_sign)


def _occlusion(fitted: Fitted, cases: Cases) -> tuple[Array, Array]:
    """The mean probability if each sign is not known, less than the probability with it."""
    known = dict(zip(fitted.encoder.signs, fitted.encoder.background, strict=True))
    hidden = [(n, v, share) for n, sign in enumerate(cases.signs) for v, share in known.get(sign, ())]
    made = probabilities(fitted, cases.variants([(n, value) for n, value, _ in hidden])).reshape(
        len(hidden), len(cases)
    )
    plain = probabilities(fitted, cases)
    moves = np.zeros(cases.vectors.shape)
    for (number, _, share), found in zip(hidden, made, strict=True):
        moves[:, number] += share * (plain - np.where(np.isnan(found), plain, found))
    return np.full(len(cases), np.nan), np.nan_to_num(moves)


def _explanation(
    cases: Cases, n: int, probability: float, threshold: float, says: bool, unit: Unit, base: float, moves: Array
) -> Explanation:
    order = np.argsort(-np.abs(moves), kind="stable")
    moved = tuple(Moved(cases.signs[s], said_of(cases.vectors[n, s]), float(moves[s])) for s in order if moves[s])
    is_answered = bool(np.isfinite(probability))
    truth = None if np.isnan(cases.truth[n]) else _word(bool(cases.truth[n]))
    return Explanation(
        cases.videos[n],
        float(probability) if is_answered else None,
        threshold,
        _word(says) if is_answered else None,
        truth,
        unit,
        float(base) if np.isfinite(base) else None,
        moved if is_answered else (),
    )


def _word(is_es: bool) -> Literal["ES", "NES"]:
    return "ES" if is_es else "NES"


def _logit(probability: Array) -> Array:
    from scipy.special import logit

    return np.asarray(logit(np.clip(probability, CERTAIN, 1 - CERTAIN)), dtype=np.float64)
