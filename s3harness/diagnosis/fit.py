"""Fitting one classifier, and asking it: settings and threshold are chosen on patients held out within the training.

:class:`Fitted` remembers whom it was fitted on, and :func:`probabilities`, the only way to ask it anything, refuses
them. So no score can be got on patients that were fitted, by whatever road one comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from s3harness.dataset.known_patients import KnownPatients
from s3harness.diagnosis.cases import Cases, Numbers, patients_of_each
from s3harness.diagnosis.contract import Classifier, Parameters, load_classifier
from s3harness.diagnosis.encoding import Encoder, learn_encoder
from s3harness.diagnosis.folds import LEFT_TO_CHOOSE, deal_folds, held_out, require_both
from s3harness.errors import S3HarnessError, UsageError
from s3harness.metrics.base import Array

INNER_FOLDS = 4


@dataclass(frozen=True, slots=True)
class Fitted:
    """A classifier with all that was learnt: how vectors become columns, its parameters, setting and threshold.

    A probability of ES of ``threshold`` or more means ES. ``inner_brier`` is the Brier score of the chosen setting on
    the patients held out within the training ones.
    """

    classifier: str
    encoder: Encoder
    parameters: Parameters
    setting: Mapping[str, Any]
    threshold: float
    inner_brier: float
    seed: int
    trained_on: KnownPatients


def fit(cases: Cases, classifier: str, seed: int = 0) -> Fitted:
    """Fit on all answered and labelled cases.

    The setting of the least Brier score and then the threshold of the best balanced accuracy are chosen on inner
    folds of patients. Raises :class:`UsageError` where there are too few patients or nothing to learn from.
    """
    cases = cases.take(cases.is_answered & cases.is_labelled)
    require_both(cases)
    fewest = min(patients_of_each(cases))
    if fewest < LEFT_TO_CHOOSE:
        raise UsageError(
            f"{fewest} patients of one diagnosis are too few to choose settings and a threshold: "
            f"{LEFT_TO_CHOOSE} of each are needed; add patients"
        )
    made = load_classifier(classifier)
    inner = deal_folds(cases, min(INNER_FOLDS, fewest), seed, left=1)
    tried = _inner_probabilities(made, cases, inner, seed)
    briers = [float(np.mean((p - cases.truth) ** 2)) for p in tried]
    best = int(np.argmin(np.round(briers, 9)))
    encoder = learn_encoder(cases)
    return Fitted(
        classifier,
        encoder,
        _parameters(made, encoder, cases, made.grid[best], seed),
        made.grid[best],
        best_threshold(tried[best], cases.truth),
        briers[best],
        seed,
        KnownPatients.of(cases.patients.tolist(), cases.marks),
    )


def probabilities(fitted: Fitted, cases: Cases) -> Array:
    """The probability of ES of each case, (n,); NaN where no sign is answered.

    Raises :class:`UsageError` if any of the patients was fitted.
    """
    refuse_known(fitted, cases)
    answered = cases.take(cases.is_answered)
    found = np.full(len(cases), np.nan)
    if len(answered):
        made = load_classifier(fitted.classifier)
        found[cases.is_answered] = _probability(made, fitted.parameters, fitted.encoder.encode(answered))
    return found


def refuse_known(fitted: Fitted, cases: Cases) -> None:
    """Raise :class:`UsageError` if any of the patients was fitted."""
    known = fitted.trained_on.met_in(cases.marks)
    if known:
        raise UsageError(
            f"the {fitted.classifier} was fitted on {len(known)} of the {len(cases.marks)} patients, whose scores "
            "would be too good; leave them out (--split), or fit on other patients"
        )


def best_threshold(probability: Array, truth: Array) -> float:
    """The threshold of the best balanced accuracy, half-way between two probabilities; of equals the nearest to 0.5."""
    steps = np.unique(probability)
    candidates = np.concatenate([(steps[1:] + steps[:-1]) / 2, [0.5]])
    says_es = probability[None, :] >= candidates[:, None]
    balanced = (says_es[:, truth == 1].mean(axis=1) + (~says_es)[:, truth == 0].mean(axis=1)) / 2
    best = candidates[balanced >= balanced.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _inner_probabilities(made: Classifier, cases: Cases, inner: Numbers, seed: int) -> Array:
    """The probabilities of each setting on held-out patients, (settings, n)."""
    found = np.empty((len(made.grid), len(cases)))
    for mask in held_out(inner):
        training = cases.take(~mask)
        encoder = learn_encoder(training)
        columns = encoder.encode(cases.take(mask))
        for number, setting in enumerate(made.grid):
            parameters = _parameters(made, encoder, training, setting, seed)
            found[number, mask] = _probability(made, parameters, columns)
    return found


def _parameters(made: Classifier, encoder: Encoder, cases: Cases, setting: Mapping[str, Any], seed: int) -> Parameters:
    parameters = made.fit(encoder.encode(cases), cases.truth, setting, seed)
    made.check(parameters, len(encoder.columns))
    return parameters


def _probability(made: Classifier, parameters: Parameters, columns: Array) -> Array:
    found = np.asarray(made.probability(parameters, columns), dtype=np.float64)
    if found.shape != (len(columns),) or not ((found >= 0) & (found <= 1)).all():
        raise S3HarnessError(f"{type(made).__name__} gives no probability between 0 and 1 for every case")
    return found
