"""The published tables computed again from the released predictions, cell by cell."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from s3harness.metrics.base import Metric, Pair
from s3harness.paper.layout import (
    PREDICTION_FILES,
    Release,
    ReleaseTable,
    missing_predictions,
    model_key,
    parse_number,
    published_table,
    read_boundaries,
    read_release_table,
)
from s3harness.paper.metrics import released
from s3harness.paper.metrics.boundaries import paper_boundary_mae
from s3harness.paper.metrics.confusion import Statistic
from s3harness.paper.metrics.diagnosis import paper_diagnosis
from s3harness.paper.metrics.features import paper_features
from s3harness.paper.metrics.laterality import paper_laterality
from s3harness.paper.metrics.order import paper_edit_distance, paper_lcs_ratio, paper_temporal_f1
from s3harness.paper.metrics.question_list import half_up, question_list_score, question_list_scores
from s3harness.paper.metrics.text import paper_bleu, paper_rouge_1, paper_rouge_l, texts_of

STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
NOT_COMPUTED = "bert"
"""In the name of columns that need a neural network to compute."""
NO_NUMBER = frozenset({"", "nan", "na", "n/a", "-"})
"""Cells of a published table where a model has no number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One published number of a model, and the recomputed number (NaN if there is none).

    ``file`` and ``column`` are the place where it is printed, ``digits`` its number of decimals; ``None`` means all of
    them. ``reason`` is the reason for which it cannot be recomputed from the release: the release itself shows that it
    was computed from other predictions.
    """

    file: str
    model: str
    column: str
    published: float
    recomputed: float
    digits: int | None = 2
    reason: str = ""

    @property
    def matches(self) -> bool:
        """Return whether the two are equal at the printed precision, an exact half rounded either way."""
        if self.digits is None:
            return math.isclose(self.recomputed, self.published, rel_tol=1e-9, abs_tol=1e-9)
        # The tables were written by several programs, some of which round halves up and some to even.
        half = 0.5 * 10.0**-self.digits
        # isclose: binary fractions of printed decimals differ in the last digits.
        is_half = math.isclose(abs(self.recomputed - self.published), half, rel_tol=1e-9)
        return is_half or round(self.recomputed, self.digits) == self.published


def published_tables(release: Release, model: str) -> list[Iterator[Cell]]:
    """Return the cells that are formulas of a model's predictions, Tasks 1–5, 7 and the texts of Task 6, by table.

    A table that cannot be read raises :class:`DatasetError` when its iterator runs, so that the others can be compared.
    A table without the model, or for which it has no predictions, has no cells.
    """
    # A table is compared if any kind of its predictions is there: models were not run on every task.
    lacking = set(missing_predictions(release, model))
    return [cells(release, model) for cells, kinds in _TABLES if not lacking.issuperset(kinds)]


def _features(release: Release, model: str) -> Iterator[Cell]:
    pairs = released.feature_pairs(release, model)
    metrics = {f"{{}}_{statistic}": paper_features(statistic=statistic) for statistic in STATISTICS}
    yield from _compare_table(release, "Task1_precision_recall_f1_accuracy.csv", model, _parts(metrics, pairs))


def _rationales(release: Release, model: str) -> Iterator[Cell]:
    metrics: dict[str, Metric] = {
        "bleu_corpus": paper_bleu(),
        "rouge1_f1_mean": paper_rouge_1(),
        "rougeL_f1_mean": paper_rouge_l(),
    }
    pairs = released.rationale_pairs(release, model)
    values = {
        (name, column): value
        for column, metric in metrics.items()
        for name, value in _parts_and_mean(metric, pairs).items()
    }
    counted = Counter(pair.reference.subject for pair in pairs if texts_of(pair))
    columns = {"bleu_corpus": "{}_bleu", "rouge1_f1_mean": "{}_rouge"}
    wide = {columns[column].format(name): value for (name, column), value in values.items() if column in columns}
    summaries = _files_of(release, model, "Task2_feature_metrics", "_feature_summary.csv") if values else []
    reasons: dict[str, str] = {}
    for path in summaries:
        table = read_release_table(release.published / path, keys=("feature",)).require(*metrics)
        reasons |= _other_pairs(table, counted)
        for name, cells in table.rows.items():
            average = re.fullmatch(r"AVG(_\d+)?", name) is not None
            reason = reasons.get("AVG" if average else name, "")
            if name in counted and "n_pairs" in cells:
                n_pairs = parse_number(cells["n_pairs"], path, "n_pairs")
                yield Cell(
                    file=path,
                    model=model,
                    column=f"{name}/n_pairs",
                    published=n_pairs,
                    recomputed=float(counted[name]),
                    digits=None,
                    reason=reason,
                )
            for column in metrics:
                value = values.get(("AVG" if average else name, column), math.nan)
                published = parse_number(cells[column], path, column)
                yield Cell(
                    file=path,
                    model=model,
                    column=f"{name}/{column}",
                    published=published,
                    recomputed=value,
                    digits=None,
                    reason=reason,
                )
    for cell in _compare_table(release, "task2_feature_metrics.csv", model, wide):
        yield replace(cell, reason=reasons.get(cell.column.rpartition("_")[0], ""))


def _other_pairs(table: ReleaseTable, counted: Mapping[str, int]) -> dict[str, str]:
    """Return feature → the reason for which its scores cannot be recomputed: another number of pairs was released.

    Their average ("AVG") cannot be recomputed either.
    """
    published = {
        name: int(parse_number(cells["n_pairs"], table.file, "n_pairs"))
        for name, cells in table.rows.items()
        if name in counted and cells.get("n_pairs")
    }
    reasons = {
        name: f"published of {n} pairs, {counted[name]} were released"
        for name, n in published.items()
        if n != counted[name]
    }
    return reasons | ({"AVG": "the average of features published of other pairs"} if reasons else {})


def _question_list(release: Release, model: str) -> Iterator[Cell]:
    for path in _files_of(release, model, "middle_results", "_video_feature_scores.csv"):
        table = read_release_table(release.published / path)
        names = [name for name in table.columns if name != "file_name"]
        # An empty cell has no score to average.
        scores = {
            name: [parse_number(cell, path, name) for cell in table.column(name).values() if cell] for name in names
        }
        means = {name: half_up(mean) for name, mean in question_list_scores(scores).items()}
        overall = {"question_list_score": question_list_score(scores)}
        yield from _compare_table(release, "Task2__per_feature_mean_scores.csv", model, means, key="model_name")
        yield from _compare_table(release, "Task2__overall_scores.csv", model, overall, key="model_name")


def _laterality(release: Release, model: str) -> Iterator[Cell]:
    pairs = released.laterality_pairs(release, model)
    metrics = {f"{{}}_{statistic}": paper_laterality(statistic=statistic) for statistic in STATISTICS}
    names = {subject: column for subject, (column, _) in released.LATERALITY.items()}
    yield from _compare_table(release, "Task3_spatial_metrics.csv", model, _parts(metrics, pairs, names))


def _boundaries(release: Release, model: str) -> Iterator[Cell]:
    pairs = released.boundary_pairs(release, model)
    errors = _parts({"{}": paper_boundary_mae()}, pairs)
    # A boundary without any answer is published with the error 0.
    perfect = dict.fromkeys(read_boundaries(release).column("feature").values(), 0.0) if errors else {}
    yield from _compare_table(release, "Task4_time_mae_metrics.csv", model, perfect | errors)


def _sequence(release: Release, model: str) -> Iterator[Cell]:
    pairs = released.sequence_pairs(release, model)
    metrics: dict[str, Metric] = {
        "edit_distance": paper_edit_distance(),
        "temporal_f1": paper_temporal_f1(),
        "lcs_ratio": paper_lcs_ratio(),
    }
    yield from _compare_table(release, "task5_sequence_3_metrics.csv", model, _values(metrics, pairs))


def _report(release: Release, model: str) -> Iterator[Cell]:
    pairs = released.report_pairs(release, model)
    metrics: dict[str, Metric] = {
        "bleu_corpus": paper_bleu(),
        "rouge1_f1": paper_rouge_1(),
        "rougeL_f1": paper_rouge_l(),
    }
    yield from _compare_table(release, "task6_report_nlp_metrics.csv", model, _values(metrics, pairs))


def _diagnosis(release: Release, model: str) -> Iterator[Cell]:
    pairs = released.diagnosis_pairs(release, model)
    metrics = {f"{statistic}_{{}}": paper_diagnosis(statistic=statistic) for statistic in STATISTICS}
    names = {subject: column.removeprefix("prediction_") for subject, column in released.DIAGNOSIS.items()}
    yield from _compare_table(release, "Task7_precision_recall_f1_accuracy.csv", model, _parts(metrics, pairs, names))


_TABLES: tuple[tuple[Callable[[Release, str], Iterator[Cell]], tuple[str, ...]], ...] = (
    (_features, ("features",)),
    (_rationales, ("rationales",)),
    (_question_list, tuple(PREDICTION_FILES)),
    (_laterality, ("head_turning", "arm_movement", "onset_body_part")),
    (_boundaries, ("boundaries",)),
    (_sequence, ("sequence",)),
    (_report, ("report",)),
    (_diagnosis, ("diagnosis",)),
)
"""The function that recomputes a table, and the kinds of prediction of which it needs one."""


def _compare_table(
    release: Release, file: str, model: str, recomputed: Mapping[str, float], *, key: str = "model"
) -> Iterator[Cell]:
    """Yield the numbers of a published table for the model, each with the recomputed one."""
    path = published_table(release, file)
    if not recomputed or path is None:
        return
    for name, cells in read_release_table(path, keys=(key,)).rows.items():
        for column, text in cells.items() if model_key(name) == model_key(model) else ():
            # BERTScores need a neural network: they are left out, not counted as mismatches.
            if text.lower() not in NO_NUMBER and column != key and NOT_COMPUTED not in column:
                published = parse_number(text, path.name, column)
                # NaN equals nothing: a published number that was not recomputed is a mismatch.
                value = recomputed.get(column, math.nan)
                yield Cell(file=path.name, model=model, column=column, published=published, recomputed=value)


def _files_of(release: Release, model: str, folder: str, suffix: str) -> list[str]:
    """Return a model's files in a folder of published details, as paths within the published tables."""
    paths = sorted((release.published / folder).glob(f"*{suffix}"))
    # The spelling of a model differs between folders; model_key makes them one.
    own = [path for path in paths if model_key(path.name.removesuffix(suffix).split("__")[0]) == model_key(model)]
    return [f"{folder}/{path.name}" for path in own]


def _parts_and_mean(metric: Metric, pairs: Sequence[Pair]) -> dict[str, float]:
    """Return subject → part of the metric, and its value as "AVG"; empty without pairs."""
    totals = metric.statistics(pairs).sum(axis=0)
    return {**metric.parts(totals), "AVG": float(metric.value(totals))} if pairs else {}


def _values(metrics: Mapping[str, Metric], pairs: Sequence[Pair]) -> dict[str, float]:
    """Return column → value of its metric; empty without pairs."""
    return {name: float(m.value(m.statistics(pairs).sum(axis=0))) for name, m in metrics.items()} if pairs else {}


def _parts(
    metrics: Mapping[str, Metric], pairs: Sequence[Pair], names: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Return column, which is the metric's pattern with the subject's name in it, → that part of the metric."""
    return {
        column.format((names or {}).get(subject, subject)): value
        for column, metric in metrics.items()
        for subject, value in metric.parts(metric.statistics(pairs).sum(axis=0)).items()
    }
