"""Explanations: the signs that moved the diagnosis of one video, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from s3harness.diagnosis.cases import UNANSWERED, UNTESTED, Cases
from s3harness.diagnosis.contract import load_classifier
from s3harness.diagnosis.crossfit import Repeat
from s3harness.diagnosis.fit import Fitted, probabilities
from s3harness.metrics.base import Array

Unit = Literal["log-odds", "probability"]
CERTAIN = 1e-12
"""Distance from 0 and 1 to which probabilities are clipped, for their log-odds to be finite."""


@dataclass(frozen=True, slots=True)
class SignMove:
    """A sign as it was answered, and the amount by which it moved the diagnosis towards ES (negative: towards NES)."""

    sign: str
    answer: str
    by: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """The diagnosis of one video, as means over the repeats, and its signs, those that moved it most first.

    In ``log-odds`` the moves are exact: ``base``, the log-odds of a video with the mean of every column, and all moves
    add up to the log-odds of the probability (of one repeat). In ``probability`` a move is the probability with the
    sign less the mean probability over the sign's values in the training videos; these need not add up, and there is
    no base.
    """

    video: str
    probability: float | None
    threshold: float
    says: Literal["ES", "NES"] | None
    truth: Literal["ES", "NES"] | None
    unit: Unit
    base: float | None
    moved: tuple[SignMove, ...]


_JSON_KEYS: Mapping[str, str] = {"answer": "said"}
"""Field of :class:`SignMove` → its key in JSON."""


def result_as_json(result: Any) -> dict[str, Any]:
    """Return a dataclass of results that holds explanations as JSON-able data."""
    # The key of older versions, so that files of theirs and scripts that read the output stay valid.
    return asdict(result, dict_factory=lambda pairs: {_JSON_KEYS.get(key, key): value for key, value in pairs})


def explain(repeats: Sequence[Repeat], cases: Cases) -> list[Explanation]:
    """Return the explanations of cases by the classifiers that they were held out from."""
    probability = np.full((len(repeats), len(cases)), np.nan)
    threshold, base = np.zeros_like(probability), np.zeros_like(probability)
    moves = np.zeros((len(repeats), *cases.vectors.shape))
    unit: Unit = "probability"
    for row, folds in enumerate(repeats):
        for fold in folds:
            own = cases.take(fold.held_out)
            probability[row, fold.held_out] = probabilities(fold.fitted, own)
            threshold[row, fold.held_out] = fold.fitted.threshold
            unit, base[row, fold.held_out], moves[row, fold.held_out] = _moves(fold.fitted, own)
    means = probability.mean(axis=0)
    # Not the mean against the mean threshold: each repeat decides by its own, as its scores do.
    says = majority(probability, threshold)
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


def answer_in_words(value: float) -> str:
    """Return the answer of a number in a vector, in words."""
    if value in (UNTESTED, UNANSWERED):
        return "untested" if value == UNTESTED else "unanswered"
    return {1.0: "present", 0.0: "absent"}.get(value, f"present with {value:.2f}")


def majority(probability: Array, threshold: Array) -> list[bool]:
    """Return ``True`` for a case that most repeats diagnose as ES; the mean distance to the threshold breaks ties."""
    votes = np.where(probability >= threshold, 1.0, -1.0).sum(axis=0)
    distance = np.nan_to_num((probability - threshold).mean(axis=0))
    return [bool(vote > 0 or (vote == 0 and far >= 0)) for vote, far in zip(votes, distance, strict=True)]


def _moves(fitted: Fitted, cases: Cases) -> tuple[Unit, Array, Array]:
    """Return unit, base (n,), and moves (n, signs), in the order of the signs of the cases."""
    classifier, encoder = load_classifier(fitted.classifier), fitted.encoder
    columns = encoder.encode(cases)
    parts = classifier.contributions(fitted.parameters, columns)
    if parts is None:
        return "probability", *_occlusion(fitted, cases)
    means = classifier.contributions(fitted.parameters, np.array([encoder.means]))
    # A classifier with contributions has them for every input.
    assert means is not None
    log_odds = _logit(classifier.probability(fitted.parameters, columns))
    # Around the mean video, so that a sign that all videos have moves nothing.
    centred = parts - means
    by_sign = [
        centred[:, [n for n, (own, _) in enumerate(encoder.columns) if own == sign]].sum(axis=1) for sign in cases.signs
    ]
    return "log-odds", log_odds - centred.sum(axis=1), np.column_stack(by_sign)


def _occlusion(fitted: Fitted, cases: Cases) -> tuple[Array, Array]:
    """Return no base, and for each sign the probability with it less the mean probability without knowing it."""
    background = dict(zip(fitted.encoder.signs, fitted.encoder.background, strict=True))
    hidden = [(n, v, share) for n, sign in enumerate(cases.signs) for v, share in background.get(sign, ())]
    variants = cases.variants([(n, value) for n, value, _ in hidden])
    changed = probabilities(fitted, variants).reshape(len(hidden), len(cases))
    plain = probabilities(fitted, cases)
    moves = np.zeros(cases.vectors.shape)
    for (number, _, share), probability in zip(hidden, changed, strict=True):
        # A change can take a video's only answer away: it has no probability then, and the sign moves nothing.
        moves[:, number] += share * (plain - np.where(np.isnan(probability), plain, probability))
    return np.full(len(cases), np.nan), np.nan_to_num(moves)


def _explanation(
    cases: Cases, n: int, probability: float, threshold: float, says: bool, unit: Unit, base: float, moves: Array
) -> Explanation:
    # Stable, so that equal moves stand in the vocabulary's order on every machine.
    order = np.argsort(-np.abs(moves), kind="stable")
    moved = tuple(
        SignMove(cases.signs[s], answer_in_words(cases.vectors[n, s]), float(moves[s])) for s in order if moves[s]
    )
    is_answered = bool(np.isfinite(probability))
    truth = None if np.isnan(cases.truth[n]) else _class_name(bool(cases.truth[n]))
    return Explanation(
        video=cases.videos[n],
        probability=float(probability) if is_answered else None,
        threshold=threshold,
        says=_class_name(says) if is_answered else None,
        truth=truth,
        unit=unit,
        base=float(base) if np.isfinite(base) else None,
        moved=moved if is_answered else (),
    )


def _class_name(is_es: bool) -> Literal["ES", "NES"]:
    return "ES" if is_es else "NES"


def _logit(probability: Array) -> Array:
    from scipy.special import logit

    return np.asarray(logit(np.clip(probability, CERTAIN, 1 - CERTAIN)), dtype=np.float64)
