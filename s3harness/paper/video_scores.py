"""Published scores by video, recomputed: the Seizure-RQI of each report and the order metrics of each video.

They are published in folders beside the tables, ``task6rqi_test`` and ``task5``, one file per model. A place is a row
of a file; no output of this module names a video.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from s3harness.errors import DatasetError
from s3harness.files import parse_json
from s3harness.metrics.order import temporal_f1
from s3harness.metrics.rqi import RQI, ReportStructure, ReportTruth, parse_preset, released_structure, score_structures
from s3harness.paper.layout import (
    Release,
    ReleaseTable,
    model_key,
    parse_number,
    read_predictions,
    read_release_table,
    read_sequences,
    read_structures,
)
from s3harness.paper.metrics.order import edit_distance, lcs_ratio, released_tokens
from s3harness.paper.windows import CellComparison

EXACT = 1e-9
"""Tolerance for a published number that is printed in full: the order of a sum changes its last digits."""


def rqi_scores(release: Release, model: str) -> dict[str, RQI]:
    """Return video → Seizure-RQI of the released structure of its report; empty where there is no such file."""
    table = read_structures(release, model)
    if table is None:
        return {}
    truths, preset = paper_truths(release), parse_preset("paper")
    return {
        video: score_structures(structure, truths[video], preset)
        for video, structure in parse_structures(table).items()
        if video in truths
    }


def rqi_details(release: Release, model: str, scores: Mapping[str, RQI]) -> Iterator[CellComparison]:
    """Compare every number of the model's Seizure-RQI by video, and of the summary beside it, with these scores."""
    for path in _files(release, model, r"task6_(.+)_rqi.*\.csv"):
        file = str(path.relative_to(release.published))
        for video, place, column, cell in _cells(read_release_table(path), _RQI):
            # NaN equals nothing, so a published row without a released structure is a mismatch.
            recomputed = _RQI[column](scores[video]) if video in scores else math.nan
            yield _compare(file, model, f"{place}, {column}", _parse_cell(cell, file, column), recomputed)
        # The summary is optional: the rows are compared without it, too.
        if (summary := path.with_name(f"{path.stem}_summary.json")).is_file():
            yield from _summary(summary, file.replace(path.name, summary.name), model, list(scores.values()))


def order_details(release: Release, model: str) -> Iterator[CellComparison]:
    """Compare every number of the model's order metrics by video with the recomputed one."""
    paths, table = _files(release, model, r"task5_sequence_3_metrics_(.+)\.csv"), None
    # Without published numbers the predictions need not be readable.
    if paths:
        table = read_predictions(release, model, "sequence")
    if table is None:
        return
    answers = {video: released_tokens(text) for video, text in table.column("feature_list").items()}
    # By the model's name, as in the published table: the release marks the models with sound in no other way.
    truth = read_sequences(release, heard="omni" in model.lower())
    for path in paths:
        file = str(path.relative_to(release.published))
        for video, place, column, cell in _cells(read_release_table(path), _ORDER):
            is_scored = video in answers and video in truth
            recomputed = _ORDER[column](answers[video], released_tokens(truth[video])) if is_scored else math.nan
            yield _compare(file, model, f"{place}, {column}", parse_number(cell, file, column), recomputed)


def paper_truths(release: Release) -> dict[str, ReportTruth]:
    """Return video → the expert's structure and the signs of Task 5 (for every model those that are heard too)."""
    # The authors' Seizure-RQI takes the sequence with sound for all models, unlike their Task 5.
    signs = {video: tuple(released_tokens(text)) for video, text in read_sequences(release, heard=True).items()}
    experts = parse_structures(read_release_table(release.truth / "task6_report_modified.csv"))
    return {video: ReportTruth(structure, signs.get(video)) for video, structure in experts.items()}


def parse_structures(table: ReleaseTable) -> dict[str, ReportStructure]:
    """Return video → the structure extracted from its report; :class:`DatasetError` names the row that is not valid."""
    by_video = {}
    for number, (video, cells) in enumerate(table.rows.items(), start=1):
        try:
            by_video[video] = released_structure(cells)
        except DatasetError as error:
            # By its number: the row's name contains a date and the diagnosis.
            raise DatasetError(f"{table.file}: row {number}: {error}") from None
    return by_video


def format_number(value: float, digits: int | None) -> str:
    """Return a number with two decimals more than it was printed with, so that a mismatch shows its size."""
    return "nothing" if math.isnan(value) else f"{value:.{10 if digits is None else digits + 2}f}"


_RQI: Mapping[str, Callable[[RQI], float]] = {
    "seizure_rqi": lambda score: score.points,
    # A component without a value is published as 0.
    "structural_completeness_score": lambda score: 100 * (score.components["S"].value or 0.0),
    "coverage_score": lambda score: 100 * (score.components["C"].value or 0.0),
    "temporal_f1_score": lambda score: 100 * (score.components["T"].value or 0.0),
    "localizing_features_score": lambda score: 100 * (score.components["L"].value or 0.0),
    "base_score": lambda score: score.base,
    "hallucination_multiplier": lambda score: score.penalties["paper_hallucination"].multiplier,
    "has_safety_issues": lambda score: float(score.penalties["paper_hazard"].cap < 100),
    "has_non_seizure_content": lambda score: float(score.penalties["paper_off_topic"].multiplier < 1),
    "content_penalty_multiplier": lambda score: score.penalties["paper_off_topic"].multiplier,
    "length_multiplier": lambda score: score.penalties["paper_length"].multiplier,
}
"""Column of the files of the Seizure-RQI → its value of a score; the two that are True or False are 1 or 0."""

_ORDER: Mapping[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "edit_distance": edit_distance,
    "temporal_f1": temporal_f1,
    # Despite its name the first is divided by the prediction's length, too.
    "lcs_ratio_gt": lcs_ratio,
    "lcs_ratio": lcs_ratio,
    "pred_len": lambda prediction, _: float(len(prediction)),
    "gt_len": lambda _, truth: float(len(truth)),
}
"""Column of the files of the order metrics → its value of an answer and the truth."""

_SUMMARY: Mapping[str, tuple[str, Callable[[Sequence[float]], float]]] = {
    "mean_seizure_rqi": ("seizure_rqi", fmean),
    # The sample's deviation (n − 1), which one report does not have.
    "std_seizure_rqi": ("seizure_rqi", lambda values: stdev(values) if len(values) > 1 else math.nan),
    "min_seizure_rqi": ("seizure_rqi", min),
    "max_seizure_rqi": ("seizure_rqi", max),
    "mean_structural": ("structural_completeness_score", fmean),
    "mean_coverage": ("coverage_score", fmean),
    "mean_temporal_f1": ("temporal_f1_score", fmean),
    "mean_localizing": ("localizing_features_score", fmean),
    "mean_hallucination_multiplier": ("hallucination_multiplier", fmean),
    "reports_with_safety_issues": ("has_safety_issues", sum),
    "reports_with_non_seizure": ("has_non_seizure_content", sum),
    "mean_length_multiplier": ("length_multiplier", fmean),
    "total_reports": ("seizure_rqi", lambda values: float(len(values))),
}
"""Key of a summary → the column that it sums up, and its formula."""


def _summary(path: Path, file: str, model: str, scores: Sequence[RQI]) -> Iterator[CellComparison]:
    try:
        summary = parse_json(path.read_text(encoding="utf-8"))
        numbers = {key: float(summary[key]) for key in _SUMMARY if key in summary}
    # TypeError: valid JSON that is no object of numbers.
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{file}: no summary of numbers: {error}") from None
    for key, published in numbers.items():
        column, formula = _SUMMARY[key]
        recomputed = formula([_RQI[column](score) for score in scores]) if scores else math.nan
        yield _compare(file, model, key, published, recomputed)


def _files(release: Release, model: str, pattern: str) -> list[Path]:
    """Return the files of a model's scores by video; group 1 of ``pattern`` is the model's name."""
    # Both places are searched, since the parts of the release differ in their folders.
    paths = sorted([*release.published.glob("*.csv"), *release.published.glob("*/*.csv")])
    names = [re.fullmatch(pattern, path.name) for path in paths]
    return [p for p, name in zip(paths, names, strict=True) if name and model_key(name[1]) == model_key(model)]


def _cells(table: ReleaseTable, columns: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (video, place of its row, column, cell) of a file of scores by video."""
    for number, (video, cells) in enumerate(table.rows.items(), start=1):
        yield from ((video, f"row {number}", column, cells[column]) for column in columns if column in cells)


def _parse_cell(cell: str, file: str, column: str) -> float:
    # The authors write the two flags as Python prints them.
    return float(cell == "True") if cell in ("True", "False") else parse_number(cell, file, column)


def _compare(file: str, model: str, place: str, released: float, recomputed: float) -> CellComparison:
    return CellComparison(
        file=file,
        model=model,
        place=place,
        released=format_number(released, None),
        remade=format_number(recomputed, None),
        matches=abs(recomputed - released) <= EXACT,
    )
