"""Fitting and applying one classifier; settings and threshold are chosen on inner folds of the training patients.

:class:`Fitted` holds the patients that it was fitted on, and :func:`probabilities`, the only function that applies it,
refuses them. So no command and no function can score a classifier on patients that it was fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from s3harness.dataset.known_patients import KnownPatients
from s3harness.diagnosis.cases import Cases, Numbers, patients_per_class
from s3harness.diagnosis.contract import Classifier, Parameters, load_classifier
from s3harness.diagnosis.encoding import Encoder, learn_encoder
from s3harness.diagnosis.folds import LEFT_TO_CHOOSE, deal_folds, held_out_masks, require_both_classes
from s3harness.errors import S3HarnessError, UsageError
from s3harness.metrics.base import Array

INNER_FOLDS = 4
"""Folds of the training patients on which settings and threshold are chosen; fewer if there are fewer patients."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """A fitted classifier: the encoding of vectors, parameters, setting and threshold.

    A probability of ES of ``threshold`` or more means ES. ``inner_brier`` is the Brier score of the chosen setting on
    the inner folds.
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

    On inner folds of patients, the setting with the least Brier score is chosen, and then the threshold with the best
    balanced accuracy. Raises :class:`UsageError` if there are too few patients, or all vectors are the same.
    """
    cases = cases.take(cases.is_answered & cases.is_labelled)
    require_both_classes(cases)
    fewest = min(patients_per_class(cases))
    if fewest < LEFT_TO_CHOOSE:
        counted = "1 patient of one diagnosis is" if fewest == 1 else f"{fewest} patients of one diagnosis are"
        raise UsageError(
            f"{counted} too few to choose settings and a threshold: {LEFT_TO_CHOOSE} of each are needed; add patients"
        )
    model = load_classifier(classifier)
    inner = deal_folds(cases, min(INNER_FOLDS, fewest), seed, left=1)
    inner_probabilities = _inner_probabilities(model, cases, inner, seed)
    briers = [float(np.mean((p - cases.truth) ** 2)) for p in inner_probabilities]
    # Rounded, so that equal settings tie on every machine; of a tie the first wins, which is the simplest.
    best = int(np.argmin(np.round(briers, 9)))
    # The final encoding and parameters are of all patients: inner folds only choose.
    encoder = learn_encoder(cases)
    return Fitted(
        classifier=classifier,
        encoder=encoder,
        parameters=_parameters(model, encoder, cases, model.grid[best], seed),
        setting=model.grid[best],
        threshold=best_threshold(inner_probabilities[best], cases.truth),
        inner_brier=briers[best],
        seed=seed,
        trained_on=KnownPatients.of(cases.patients.tolist(), cases.marks),
    )


def probabilities(fitted: Fitted, cases: Cases) -> Array:
    """Return the probability of ES of each case, (n,); NaN for a case without an answer about any sign.

    Raises :class:`UsageError` if the classifier was fitted on any of the patients.
    """
    # Here, not in the callers: this is the only way to a probability.
    refuse_fitted_patients(fitted, cases)
    answered = cases.take(cases.is_answered)
    probability = np.full(len(cases), np.nan)
    # The contract does not promise that a classifier takes an empty table.
    if len(answered):
        model = load_classifier(fitted.classifier)
        probability[cases.is_answered] = _probability(model, fitted.parameters, fitted.encoder.encode(answered))
    return probability


def refuse_fitted_patients(fitted: Fitted, cases: Cases) -> None:
    """Raise :class:`UsageError` if the classifier was fitted on any of the patients."""
    overlap = fitted.trained_on.met_in(cases.marks)
    if overlap:
        raise UsageError(
            f"the {fitted.classifier} was fitted on {len(overlap)} of the {len(cases.marks)} patients, whose scores "
            "would be too good; leave them out (--split), or fit on other patients"
        )


def best_threshold(probability: Array, truth: Array) -> float:
    """Return the threshold with the best balanced accuracy; of several equal ones that nearest to 0.5."""
    # Half-way between two probabilities, as other patients' will not be exactly these.
    steps = np.unique(probability)
    candidates = np.concatenate([(steps[1:] + steps[:-1]) / 2, [0.5]])
    says_es = probability[None, :] >= candidates[:, None]
    balanced = (says_es[:, truth == 1].mean(axis=1) + (~says_es)[:, truth == 0].mean(axis=1)) / 2
    # Equal accuracies may differ in their last digit.
    best = candidates[balanced >= balanced.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _inner_probabilities(model: Classifier, cases: Cases, inner: Numbers, seed: int) -> Array:
    """Return the probabilities by each setting on held-out patients, (settings, n)."""
    probability = np.empty((len(model.grid), len(cases)))
    for mask in held_out_masks(inner):
        training = cases.take(~mask)
        # Learnt anew in each fold: an encoding of all patients would leak the held-out ones' prevalences.
        encoder = learn_encoder(training)
        columns = encoder.encode(cases.take(mask))
        for number, setting in enumerate(model.grid):
            parameters = _parameters(model, encoder, training, setting, seed)
            probability[number, mask] = _probability(model, parameters, columns)
    return probability


def _parameters(model: Classifier, encoder: Encoder, cases: Cases, setting: Mapping[str, Any], seed: int) -> Parameters:
    parameters = model.fit(encoder.encode(cases), cases.truth, setting, seed)
    # A classifier may be a plugin's: parameters that its own check refuses could not be read from a file either.
    model.check(parameters, len(encoder.columns))
    return parameters


def _probability(model: Classifier, parameters: Parameters, columns: Array) -> Array:
    probability = np.asarray(model.probability(parameters, columns), dtype=np.float64)
    # NaN fails both comparisons, and is refused too.
    if probability.shape != (len(columns),) or not ((probability >= 0) & (probability <= 1)).all():
        raise S3HarnessError(f"{type(model).__name__} gives no probability between 0 and 1 for every case")
    return probability
