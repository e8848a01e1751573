"""The diagnosis from the expert's report alone: the floor of a question whose prompt holds the report.

TF-IDF of words, and a logistic regression in which both diagnoses weigh the same. Patients are assigned to folds, and
each fold is answered by a classifier of the others, so that no patient's own reports are in the training data.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from s3harness.metrics.cohort import commonest_of

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FOLDS = 10
"""Folds of patients at most; with fewer patients each is a fold. Every fold costs one fit."""
MOST = 4000
"""Reports in one training set at most, evenly spaced: a fit of so many takes about a second."""


@dataclass
class ReportClassifier:
    """Reports and diagnoses of patients, and a classifier for each fold, fitted at its first use."""

    reports: list[str] = field(default_factory=list)
    diagnoses: list[str] = field(default_factory=list)
    patients: list[int] = field(default_factory=list)

    def add(self, patient: int, report: str, diagnosis: str) -> None:
        """Add a report to the training data."""
        self.patients.append(patient)
        self.reports.append(report)
        self.diagnoses.append(diagnosis)

    def of(self, report: str, without: int | None) -> str | None:
        """Return the diagnosis of a report by a classifier without the patient ``without``, or of all if ``None``.

        ``None`` where the other patients have not both diagnoses.
        """
        fold = None if without is None else self._folds.get(without)
        model = self._model(fold)
        return None if model is None else str(model.predict([report])[0])

    @cached_property
    def _folds(self) -> Mapping[int, int]:
        """Patient → fold; patients of each diagnosis are assigned in turn, so that folds resemble each other."""
        diagnoses: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for patient, diagnosis in zip(self.patients, self.diagnoses, strict=True):
            diagnoses[patient][diagnosis] += 1
        ordered = sorted(diagnoses, key=lambda patient: (commonest_of(diagnoses[patient]), patient))
        return {patient: place % min(FOLDS, len(ordered)) for place, patient in enumerate(ordered)}

    @cached_property
    def _models(self) -> dict[int | None, Pipeline | None]:
        return {}

    def _model(self, fold: int | None) -> Pipeline | None:
        if fold not in self._models:
            numbers = [n for n, patient in enumerate(self.patients) if fold is None or self._folds[patient] != fold]
            # Ceiling division: a step of 2 for 4,001 reports keeps the training set under the limit.
            chosen = numbers[:: max(1, -(-len(numbers) // MOST))]
            self._models[fold] = _fitted([self.reports[n] for n in chosen], [self.diagnoses[n] for n in chosen])
        return self._models[fold]


def _fitted(reports: Sequence[str], diagnoses: Sequence[str]) -> Pipeline | None:
    # Imported here: scikit-learn is slow to import and needed for this floor alone.
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    # Without a word of two letters there is no vocabulary, for which scikit-learn raises.
    if len(set(diagnoses)) < 2 or not any(re.search(r"\w\w", report) for report in reports):
        return None
    words, classifier = TfidfVectorizer(sublinear_tf=True), LogisticRegression(class_weight="balanced", max_iter=1000)
    return make_pipeline(words, classifier).fit(reports, diagnoses)
