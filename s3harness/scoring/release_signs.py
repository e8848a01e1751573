"""How well the signs read from the experts' own reports agree with the annotators' labels, reader by reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from s3harness.dataset.release import Release, read_release_table
from s3harness.dataset.release_annotations import Annotations
from s3harness.metrics.base import Array, safe_ratio
from s3harness.metrics.rqi import extract
from s3harness.metrics.rqi.judge import JudgeError
from s3harness.metrics.rqi.score import Reader
from s3harness.scoring.release_details import structures
from s3harness.specs.features import vocabulary
from s3harness.stats import interval_of_rows
from s3harness.types import Interval


@dataclass(frozen=True, slots=True)
class SignAgreement:
    """Signs read from the experts' reports, held against the annotators' labels; intervals are between patients."""

    reader: str
    n_reports: int
    values: Mapping[str, tuple[float, Interval | None]]


def sign_agreements(
    release: Release, annotations: Annotations, judges: Mapping[str, Reader]
) -> Iterator[SignAgreement]:
    """Who reads the experts' reports how well: the rules, the judges, and the released extraction."""
    reports = {name: video.report for name, video in annotations.videos.items() if video.report}
    for who, read in {"rules": extract, **judges}.items():
        yield _agreement(who, {name: _events(read, text) for name, text in reports.items()}, annotations)
    path = release.truth / "task6_report_modified.csv"
    if path.is_file():
        extracted = structures(read_release_table(path))
        released = {name: extracted[name].events for name in reports if name in extracted}
        yield _agreement("released extraction (an LLM)", released, annotations)


def _events(read: Reader, text: str) -> tuple[str, ...] | None:
    try:
        return read(text).events
    except JudgeError:
        return None


def _agreement(who: str, found: Mapping[str, tuple[str, ...] | None], annotations: Annotations) -> SignAgreement:
    names = [name for name, events in found.items() if events is not None]
    rows = np.array([_row(annotations, name, found[name] or ()) for name in names], dtype=np.float64).reshape(-1, 3)
    clusters = np.array([int(annotations.videos[name].patient[1:]) for name in names])
    values = {}
    for measure, formula in _MEASURES.items():
        value = float(formula.value(rows.sum(axis=0)))
        values[measure] = (value, interval_of_rows(formula, rows, clusters).interval)
    return SignAgreement(who, len(names), values)


def _row(annotations: Annotations, name: str, events: Iterable[str]) -> tuple[int, int, int]:
    """How many signs are right, named, and labelled."""
    known = vocabulary().names
    features = annotations.videos[name].features
    said = {event for event in events if event in known}
    true = {sign for sign in known if sign in features and features[sign].present == "yes"}
    return len(said & true), len(said), len(true)


@dataclass(frozen=True)
class _Measure:
    """A ratio of the sums of :func:`_row`."""

    ratio: Callable[[Array, Array, Array], Array]

    def value(self, totals: Array) -> Array:
        return self.ratio(totals[..., 0], totals[..., 1], totals[..., 2])


_MEASURES: Mapping[str, _Measure] = {
    "precision": _Measure(lambda right, said, _: safe_ratio(right, said)),
    "recall": _Measure(lambda right, _, true: safe_ratio(right, true)),
    "F1": _Measure(lambda right, said, true: safe_ratio(2 * right, said + true)),
}
