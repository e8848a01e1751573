"""Applying a saved classifier to other patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from s3harness.diagnosis.cases import Cases
from s3harness.diagnosis.crossfit import Fold, Repeat, diagnose_out_of_fold
from s3harness.diagnosis.diagnose import floor_and_direct
from s3harness.diagnosis.explain import Explanation, explain
from s3harness.diagnosis.fit import refuse_fitted_patients
from s3harness.diagnosis.model_file import SavedModel, refuse_if_overlap_unknown
from s3harness.diagnosis.scores import CurvePoint, MethodScores, calibration_curve, score_probabilities
from s3harness.diagnosis.sources import DiagnosisSource, DirectAnswers
from s3harness.errors import UsageError


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """Diagnoses of the videos of a source by a saved classifier, and its scores on those with a known diagnosis."""

    source: str
    classifier: str
    threshold: float
    n: int
    n_patients: int
    systems: tuple[MethodScores, ...]
    curve: tuple[CurvePoint, ...]
    explanations: tuple[Explanation, ...]
    notes: tuple[str, ...]


def apply_model(model: SavedModel, source: DiagnosisSource, *, resamples: int = 2000) -> Applied:
    """Diagnose every video of a source; :class:`UsageError` if any patient was fitted, or that cannot be excluded."""
    # Before the marks are compared: without common marks no patient would be recognised, and all would be let through.
    refuse_if_overlap_unknown(model, source)
    cases = source.perceived
    refuse_fitted_patients(model.fitted, cases)
    shared_signs = [sign for sign in model.fitted.encoder.signs if sign in cases.signs]
    if not shared_signs:
        raise UsageError(f"{source.name} has none of the signs that the classifier was fitted on")
    labelled = cases.take(cases.is_labelled)
    out_of_fold = diagnose_out_of_fold(_one_fold(model, labelled), labelled)
    systems: list[MethodScores] = []
    curve: list[CurvePoint] = []
    if len(labelled):
        systems = list(floor_and_direct(source, labelled, resamples))
        measures = score_probabilities(labelled, out_of_fold, resamples=resamples)
        name = f"{model.fitted.classifier.replace('_', ' ')}, fitted elsewhere on {model.about['what']}"
        answered = float(np.isfinite(out_of_fold.says_es).sum())
        systems.append(
            MethodScores(
                name=name,
                kind="two-stage",
                measures=measures,
                answered=answered,
                n=len(labelled),
                classifier=model.fitted.classifier,
            )
        )
        curve = calibration_curve(labelled, out_of_fold.probability[0], resamples=resamples)
    return Applied(
        source=source.name,
        classifier=model.fitted.classifier,
        threshold=model.fitted.threshold,
        n=len(cases),
        n_patients=len(cases.marks),
        systems=tuple(systems),
        curve=tuple(curve),
        explanations=tuple(explain(_one_fold(model, cases), cases)),
        notes=(*source.notes, *_notes(model, cases)),
    )


def select_videos(source: DiagnosisSource, chosen: NDArray[np.bool_]) -> DiagnosisSource:
    """Return a source with some of its videos."""
    # Annotations stay whole: the mask is of the perceived videos, and annotations may be of more.
    direct = tuple(DirectAnswers(d.subject, d.is_requested[chosen], d.says_es[chosen]) for d in source.direct)
    return replace(source, perceived=source.perceived.take(chosen), direct=direct)


def _one_fold(model: SavedModel, cases: Cases) -> Sequence[Repeat]:
    """Return one repeat with one fold, which holds all cases out."""
    # Nobody here was fitted, so that the functions for out-of-fold diagnoses apply as they are.
    return [[Fold(model.fitted, np.ones(len(cases), dtype=np.bool_))]]


def _notes(model: SavedModel, cases: Cases) -> list[str]:
    unasked = [sign for sign in model.fitted.encoder.signs if sign not in cases.signs]
    unanswered, unlabelled = int((~cases.is_answered).sum()), int((~cases.is_labelled).sum())
    notes = [
        f"signs that are not in this source, treated as unanswered: {', '.join(unasked)}" if unasked else "",
        f"{unanswered} of {len(cases)} videos have no answer about any sign and get no diagnosis" if unanswered else "",
        f"{unlabelled} of {len(cases)} videos have no annotated diagnosis and are not scored" if unlabelled else "",
    ]
    return [note for note in notes if note]
