"""The released predictions beside the annotations, as the authors joined them.

They are joined on the names that both tables have: rows that either lacks are dropped, and an unreadable cell stays as
an answer without a value. References carry running numbers in place of the release's names, which hold dates and
diagnoses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from s3harness.errors import DatasetError
from s3harness.metrics.base import Pair
from s3harness.paper.layout import (
    Release,
    parse_number,
    patient_of,
    read_boundaries,
    read_diagnoses,
    read_features,
    read_laterality,
    read_predictions,
    read_reports,
    read_sequences,
)
from s3harness.paper.metrics.boundaries import released_seconds
from s3harness.paper.metrics.diagnosis import released_diagnosis
from s3harness.paper.metrics.laterality import BODY_PART
from s3harness.paper.metrics.order import released_tokens
from s3harness.specs.features import vocabulary
from s3harness.types import Prediction, Reference

LATERALITY: Mapping[str, tuple[str, str]] = {
    "head_turning": ("left_right_head_turning", "head_turning_direction"),
    "arm_movement": ("left_right_arm_movement", "arm_movement_direction"),
    "onset_body_part": ("body_region_onset", "onset_body_part"),
}
"""Question → column of the truth and of the prediction."""
DIAGNOSIS: Mapping[str, str] = {"video_and_report": "prediction_with_report", "video": "prediction_without_report"}
"""Question → column of the prediction."""


def feature_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 1: a model's answers on each sign, lower case, beside yes, no or untested."""
    truth = read_features(release)
    return [
        pair
        for name, answers in _by_feature(release, model, "features", "{}").items()
        for pair in _joined(
            name,
            {video: labels[name].present for video, labels in truth.items()},
            {video: _read_by_pandas(cell.lower()) for video, cell in answers.items()},
        )
    ]


def rationale_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 2: a model's reasons beside the expert's, without the yes or no of either."""
    truth = read_features(release)
    return [
        pair
        for name, answers in _by_feature(release, model, "rationales", "justification_for_{}").items()
        for pair in _joined(
            name,
            {video: {"text": labels[name].justification} for video, labels in truth.items()},
            {video: {"text": text} for video, text in answers.items()},
        )
    ]


def laterality_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 3's three questions, without truths that are not applicable.

    The authors compare a side as it is written, so that one with a blank behind it is no side, and dropped.
    """
    return [pair for subject in LATERALITY for pair in _laterality_of(release, model, subject)]


def _laterality_of(release: Release, model: str, subject: str) -> Iterator[Pair]:
    column, answer = LATERALITY[subject]
    is_side = subject != BODY_PART
    truth = read_laterality(release, keeps_blanks=is_side).column(column)
    return _joined(
        subject,
        {video: cell.lower() for video, cell in truth.items() if cell.strip() not in _NO_TRUTH},
        _column(release, model, subject, answer, keeps_blanks=is_side),
    )


def boundary_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 4: seconds from the start of the clip; an answer that is no time has no value."""
    truth = read_boundaries(release)
    times, subjects = truth.column("target_time"), truth.column("feature")
    answers = {
        clip: released_seconds(time) for clip, time in _column(release, model, "boundaries", "timestamp").items()
    }
    return [
        pair
        for name in dict.fromkeys(subjects.values())
        for pair in _joined(name, _targets(times, subjects, name), answers)
    ]


def sequence_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 5: token lists.

    The truth of a model with "omni" in its name has the signs that are heard too, as in the published table.
    """
    # By the model's name, as the release has no other mark of the models that were given sound.
    truth = read_sequences(release, heard="omni" in model.lower())
    events = {v: [(token, float(n)) for n, token in enumerate(released_tokens(t))] for v, t in truth.items()}
    answers = _column(release, model, "sequence", "feature_list")
    return list(_joined("sequence", events, {video: released_tokens(text) for video, text in answers.items()}))


def report_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 6: a model's report beside the expert's."""
    truth = {video: {"text": text} for video, text in read_reports(release).items()}
    return list(_joined("report", truth, _column(release, model, "report", "report")))


def diagnosis_pairs(release: Release, model: str) -> list[Pair]:
    """Return the pairs of Task 7's two questions."""
    truth, reports = read_diagnoses(release), _reports(release)
    return [
        pair
        for subject, column in DIAGNOSIS.items()
        for pair in _joined(
            subject,
            truth,
            {v: released_diagnosis(text) for v, text in _column(release, model, "diagnosis", column).items()},
            reports if subject == "video_and_report" else {},
        )
    ]


def _read_by_pandas(cell: str) -> str:
    """Return a lower-case cell as pandas reads it, which the authors use: its words for "missing" become empty."""
    return "" if cell in ("n/a", "#n/a", "<na>", "nan", "null", "none") else cell


# A side that does not apply to a video, as one without head turning.
_NO_TRUTH = ("", "N/A")


def _targets(times: Mapping[str, str], subjects: Mapping[str, str], name: str) -> dict[str, float]:
    file = "Task4_time_annotation.csv"
    return {clip: parse_number(t, file, "target_time") for clip, t in times.items() if subjects[clip] == name}


def _column(release: Release, model: str, kind: str, column: str, *, keeps_blanks: bool = False) -> dict[str, str]:
    """Return a column of a kind of prediction; empty where the model has no such file."""
    table = read_predictions(release, model, kind, keeps_blanks=keeps_blanks)
    return table.column(column) if table else {}


def _reports(release: Release) -> dict[str, str]:
    """Read the experts' reports, which the published scores of Task 7 do not need; none where there is no table."""
    # The reports only feed a floor: the published cells can be recomputed without them.
    try:
        return read_reports(release)
    except DatasetError:
        return {}


def _by_feature(release: Release, model: str, kind: str, column: str) -> dict[str, dict[str, str]]:
    """Return feature → its column, for the features in a model's table of predictions."""
    table = read_predictions(release, model, kind)
    columns = {name: column.format(name) for name in vocabulary().names}
    return {name: table.column(c) for name, c in columns.items() if c in table.columns} if table else {}


def _joined(
    subject: str,
    truths: Mapping[str, object],
    answers: Mapping[str, object],
    reports: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Pair]:
    """Yield the pairs of one subject for the names that both have, in the order of the truths.

    An answer of "" or ``None`` counts as one that could not be read.

    ``reports`` are the experts' reports in the prompts of the question.
    """
    # Numbered over all truths, so that a patient has one number whatever a model answered.
    patients = {name: number for number, name in enumerate(dict.fromkeys(map(patient_of, truths)))}
    for number, (name, truth) in enumerate(truths.items()):
        if name in answers:
            item, answer = f"{number:04d}/{subject}", answers[name]
            reference = Reference(
                item=item,
                task="",
                video_id=f"{number:04d}",
                subject=subject,
                cluster=patients[patient_of(name)],
                truth=truth,
                report=reports.get(name, ""),
            )
            # "failed" rather than "missing": the released row is there, its cell could not be read.
            is_read = answer not in (None, "")
            prediction = Prediction(item, answer if is_read else None, "answered" if is_read else "failed")
            yield Pair(reference, prediction)
