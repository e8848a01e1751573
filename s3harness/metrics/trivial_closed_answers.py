"""Trivial answerers of closed questions: signs and the reasons for them, sides, diagnoses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from s3harness.metrics.cohort import PatientCounts, commonest_of, label_of
from s3harness.metrics.report_classifier import ReportClassifier
from s3harness.metrics.sentences import Sentences
from s3harness.metrics.simulated_reader import reader_of
from s3harness.metrics.trivial_answerers import (
    Answerers,
    Cohort,
    Floor,
    Mixture,
    Say,
    Weigh,
    Without,
    coin,
    prediction_of,
    sole,
)
from s3harness.types import Prediction, Reference


class _Closed(Cohort):
    """Questions with closed answers: constants, the commonest label of a subject, and labels by their prevalence."""

    def __init__(self) -> None:
        super().__init__()
        self.labels = PatientCounts()

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Count the label."""
        if (label := label_of(truth)) is not None:
            self.labels.add(patient, subject, label)

    def commonest(self, left_out: Without) -> Callable[[Reference], str]:
        """Return the function of an item that gives the commonest label of its subject, "na" without other patients."""
        return lambda r: commonest_of(self.labels.of(r.subject, left_out(r))) or "na"

    def share(self, label_at: Callable[[Reference], str | None], left_out: Without) -> Weigh:
        """Return the weight of a label: its prevalence in the subject of an item, 0–1."""
        return lambda references: np.array([self._share(r, label_at(r), left_out(r)) for r in references])

    def _share(self, reference: Reference, label: str | None, without: int | None) -> float:
        counts = self.labels.of(reference.subject, without)
        return counts[label] / counts.total() if label is not None and counts else 0.0


class Features(_Closed):
    """The answerers of Task 1: always yes or no, the commonest label, or yes with the prevalence as its probability."""

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""
        commonest, reader = self.commonest(left_out), reader_of("feature")
        says: dict[str, Say] = {
            "always_yes": lambda r: prediction_of(r, "yes"),
            "always_no": lambda r: prediction_of(r, "no"),
            "commonest": lambda r: prediction_of(r, commonest(r)),
        }
        floors = {
            "always_yes": sole("always_yes"),
            "always_no": sole("always_no"),
            "coin": coin("always_yes", "always_no"),
            "commonest": sole("commonest", is_fitted=True),
            "prevalence": Floor(_by_prevalence(self, "always_yes", "always_no", left_out), is_fitted=True),
        }
        return Answerers(says | reader.says, floors, reader=reader)


class Rationales(_Closed):
    """Yes or no with a reason: the commonest sentence, or the one most like all others, of the subject and label."""

    def __init__(self) -> None:
        super().__init__()
        self.sentences = Sentences()

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Count the label, and keep the sentence."""
        super().learn(patient, subject, truth, reference)
        if (label := label_of(truth)) is not None:
            self.sentences.add(patient, f"{subject}/{label}", str(truth["text"]))

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""
        common, typical = self.sentences.commonest, self.sentences.medoid

        def saying(label: Callable[[Reference], str], text: Callable[[str, int | None], str]) -> Say:
            return lambda r: prediction_of(
                r, {"present": label(r), "text": text(f"{r.subject}/{label(r)}", left_out(r))}
            )

        says: dict[str, Say] = {
            "always_yes": saying(lambda r: "yes", common),
            "always_no": saying(lambda r: "no", common),
            "commonest": saying(self.commonest(left_out), common),
            "medoid_yes": saying(lambda r: "yes", typical),
            "medoid_no": saying(lambda r: "no", typical),
        }
        constant: dict[str, Say] = {"no_reason": lambda r: prediction_of(r, {"present": "no", "text": ""})}
        mixtures = {
            "prevalence": _by_prevalence(self, "always_yes", "always_no", left_out),
            "medoid_coin": coin("medoid_yes", "medoid_no").mixture,
        }
        # Sentences fitted on other patients fit the left-out one a little worse than no sentence does.
        floors = {name: sole(name) for name in constant} | {name: sole(name, is_fitted=True) for name in says}
        floors |= {name: Floor(mixture, is_fitted=True) for name, mixture in mixtures.items()}
        reader = reader_of("rationale")
        return Answerers(constant | says | reader.says, floors, reader=reader)


def _by_prevalence(closed: _Closed, yes: str, no: str, left_out: Without) -> Mixture:
    """Yes with the prevalence of the subject as its weight, no with the rest."""
    share = closed.share(lambda r: "yes", left_out)
    return [(yes, share), (no, lambda references: 1.0 - share(references))]


class Sides(_Closed):
    """Left or right; for the question about a part of the body, the first of the vocabulary is the constant."""

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""
        commonest, reader = self.commonest(left_out), reader_of("laterality", self.labels.things)
        says: dict[str, Say] = {
            "always_left": lambda r: prediction_of(r, _constant_side(r, "left")),
            "always_right": lambda r: prediction_of(r, _constant_side(r, "right")),
            "commonest": lambda r: prediction_of(r, commonest(r)),
        }
        floors = {name: sole(name, is_fitted=name == "commonest") for name in says}
        floors["coin"] = coin("always_left", "always_right")
        dealt, prevalence = _dealt(self, left_out)
        floors["prevalence"] = Floor(prevalence, is_fitted=True)
        return Answerers(says | dealt | reader.says, floors, reader=reader)


def _constant_side(reference: Reference, side: str) -> str:
    from s3harness.specs.features import vocabulary

    return vocabulary().body_parts[0] if reference.subject == "onset_body_part" else side


def _dealt(closed: _Closed, left_out: Without) -> tuple[dict[str, Say], Mixture]:
    """Answers and mixture of prevalence: the n-th label of every subject, weighted by its prevalence there."""
    # Subjects differ in their labels, while the answers of a mixture have one name for all items.
    subjects = closed.labels.groups()
    most = max((len(closed.labels.things(subject)) for subject in subjects), default=0)
    says: dict[str, Say] = {}
    # A subject with fewer labels has weight 0 at the places beyond its last.
    mixture: list[tuple[str, Weigh]] = []
    for place in range(most):
        label_at = _label_at(closed.labels, place)
        says[f"label {place}"] = _saying(label_at)
        mixture.append((f"label {place}", closed.share(label_at, left_out)))
    return says, mixture


def _label_at(labels: PatientCounts, place: int) -> Callable[[Reference], str | None]:
    # Bound here, as a lambda in a loop would see the loop's last place.
    at = {subject: things[place] for subject in labels.groups() if place < len(things := labels.things(subject))}
    return lambda reference: at.get(reference.subject)


def _saying(label_at: Callable[[Reference], str | None]) -> Say:
    return lambda reference: prediction_of(reference, label_at(reference) or "na")


class Diagnoses(_Closed):
    """Always the same diagnosis, and where the prompt holds the expert's report a classifier of the report alone."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = ReportClassifier()

    def learn(self, patient: int, subject: str, truth: Any, reference: Reference) -> None:
        """Count the diagnosis, and keep the report that the prompt holds."""
        super().learn(patient, subject, truth, reference)
        if reference.report and (label := label_of(truth)) is not None:
            self.classifier.add(patient, reference.report, label)

    def answerers(self, left_out: Without) -> Answerers:
        """Return the fitted answerers."""
        commonest, classifier, reader = self.commonest(left_out), self.classifier, reader_of("diagnosis")

        def read(reference: Reference) -> Prediction:
            # Without a report, or where the other patients have one diagnosis alone, the commonest stands in.
            diagnosis = classifier.of(reference.report, left_out(reference)) if reference.report else None
            return prediction_of(reference, diagnosis or commonest(reference))

        says: dict[str, Say] = {
            "always_ES": lambda r: prediction_of(r, "ES"),
            "always_NES": lambda r: prediction_of(r, "NES"),
        }
        share = self.share(lambda r: "ES", left_out)
        prevalence = [("always_ES", share), ("always_NES", lambda references: 1.0 - share(references))]
        floors = {name: sole(name) for name in says} | {"coin": coin("always_ES", "always_NES")}
        floors |= {"prevalence": Floor(prevalence, is_fitted=True)}
        # Only where some prompt holds a report: otherwise this answerer would be the commonest diagnosis again.
        if classifier.reports:
            says["report_classifier"] = read
            floors["report_classifier"] = sole("report_classifier", is_fitted=True)
        return Answerers(says | reader.says, floors, reader=reader)
