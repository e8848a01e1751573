"""A saved classifier applied to other people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from s3harness.diagnosis.cases import Cases
from s3harness.diagnosis.crossfit import Fold, Repeat, diagnose_out_of_fold
from s3harness.diagnosis.diagnose import floor_and_direct
from s3harness.diagnosis.explain import Explanation, explain
from s3harness.diagnosis.fit import refuse_known
from s3harness.diagnosis.model_file import SavedModel, refuse_if_unknowable
from s3harness.diagnosis.scores import CurvePoint, System, calibration_curve, score_probabilities
from s3harness.diagnosis.sources import Direct, Source
from s3harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Applied:
    """What a saved classifier says of the videos of a source; scores only where diagnoses are known."""

    source: str
    classifier: str
    threshold: float
    n: int
    n_patients: int
    systems: tuple[System, ...]
    curve: tuple[CurvePoint, ...]
    explanations: tuple[Explanation, ...]
    notes: tuple[str, ...]


def apply_model(model: SavedModel, source: Source, *, resamples: int = 2000) -> Applied:
    """Diagnose every video of a source; :class:`UsageError` if any patient was fitted, or nobody can tell."""
    refuse_if_unknowable(model, source)
    cases = source.perceived
    refuse_known(model.fitted, cases)
    asked = [sign for sign in model.fitted.encoder.signs if sign in cases.signs]
    if not asked:
        raise UsageError(f"{source.name} has none of the signs that the classifier was fitted on")
    labelled = cases.take(cases.is_labelled)
    found = diagnose_out_of_fold(_everyone(model, labelled), labelled)
    systems: list[System] = []
    curve: list[CurvePoint] = []
    if len(labelled):
        systems = list(floor_and_direct(source, labelled, resamples))
        measures = score_probabilities(labelled, found, resamples=resamples)
        name = f"{model.fitted.classifier.replace('_', ' ')}, fitted elsewhere on {model.about['what']}"
        answered = float(np.isfinite(found.says_es).sum())
        systems.append(System(name, "two-stage", measures, answered, len(labelled), model.fitted.classifier))
        curve = calibration_curve(labelled, found.probability[0], resamples=resamples)
    return Applied(
        source.name,
        model.fitted.classifier,
        model.fitted.threshold,
        len(cases),
        len(cases.marks),
        tuple(systems),
        tuple(curve),
        tuple(explain(_everyone(model, cases), cases)),
        (*source.notes, *_notes(model, cases)),
    )


def only(source: Source, chosen: NDArray[np.bool_]) -> Source:
    """A source with a part of its videos."""
    direct = tuple(Direct(d.subject, d.is_asked[chosen], d.says_es[chosen]) for d in source.direct)
    return replace(source, perceived=source.perceived.take(chosen), direct=direct)


def _everyone(model: SavedModel, cases: Cases) -> Sequence[Repeat]:
    """One fold that holds all cases out."""
    return [[Fold(model.fitted, np.ones(len(cases), dtype=np.bool_))]]


def _notes(model: SavedModel, cases: Cases) -> list[str]:
    unasked = [sign for sign in model.fitted.encoder.signs if sign not in cases.signs]
    silent, unknown = int((~cases.is_answered).sum()), int((~cases.is_labelled).sum())
    notes = [
        f"signs that are not in this source, treated as unanswered: {', '.join(unasked)}" if unasked else "",
        f"{silent} of {len(cases)} videos have no answer about any sign and get no diagnosis" if silent else "",
        f"{unknown} of {len(cases)} videos have no annotated diagnosis and are not scored" if unknown else "",
    ]
    return [note for note in notes if note]
