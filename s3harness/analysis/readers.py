"""Human readers beside a run: their scores on the items that they and the run were asked, and published ones.

A reader is a run of ``s3harness read`` without a model's help; its model card has the family :data:`READER`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from s3harness.analysis.systems import ScoredSystem, join, read_runs
from s3harness.errors import UsageError
from s3harness.files import parse_json
from s3harness.metrics.base import Pair
from s3harness.package_data import published_directory
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_task import build_metric
from s3harness.specs.tasks import TaskSpec

READER, AIDED_READER = "reader", "aided reader"
"""Families of the model cards of people: those who answered alone, and those who saw a model's answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderLine:
    """Readers on one task: mean, least and greatest of their ``scores`` by the task's primary metric.

    All are taken on the ``n_items`` of the run's ``of_items`` that every reader was asked; ``own`` is the score of the
    run on the same items. ``None`` where a score is undefined on them.
    """

    task: str
    metric: str
    scores: Mapping[str, float | None]
    mean: float | None
    low: float | None
    high: float | None
    own: float | None
    n_items: int
    of_items: int

    @property
    def label(self) -> str:
        """Return the name of the line, as tables show it."""
        return f"readers, n = {len(self.scores)}"

    @property
    def sentence(self) -> str:
        """Return the readers' mean and range, and the score of the run on the same items, in words."""
        low, mean, high, own = ("–" if v is None else f"{v:.3g}" for v in (self.low, self.mean, self.high, self.own))
        share = f"{self.n_items} of {self.of_items}" if self.n_items < self.of_items else f"all {self.n_items}"
        return f"{self.label}: mean {mean} ({low}–{high}), this run {own} on the same {share} items"


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedReaders:
    """Published figures of human readers on other patients and other videos: a landmark, no comparison.

    ``figures`` maps a metric to its value and the ends of its 95 % interval.
    """

    readers: str
    population: str
    figures: Mapping[str, tuple[float, float, float]]
    source: str

    @property
    def sentence(self) -> str:
        """Return the figures with their population, and the caution that belongs to them."""
        figures = ", ".join(f"{name} {v:.3f} ({low:.3f}–{high:.3f})" for name, (v, low, high) in self.figures.items())
        return (
            f"Published, on other patients and videos, and so no comparison: {self.readers}, {self.population}: "
            f"{figures}. {self.source}."
        )


def read_readers(runs: Sequence[Path]) -> list[ScoredSystem]:
    """Read the exams of readers; :class:`UsageError` for a run that is none, or is not finished."""
    for run in runs:
        manifest = read_manifest(run)
        if manifest["run"]["model"].get("family") != READER:
            raise UsageError(f"{run} is no reader's exam; readers take one with s3harness read DATA --reader NAME")
        # Questions that are still open would count as wrong answers of the reader.
        if manifest.get("status") != "complete":
            raise UsageError(f"{run}: the exam is not finished; the reader goes on with the same s3harness read")
    return read_runs(runs)


def reader_lines(run: ScoredSystem, readers: Sequence[ScoredSystem]) -> list[ReaderLine]:
    """Return a line for each task of a run that readers were asked as well.

    Raises :class:`UsageError` if there is none, or if the truth of a shared item differs.
    """
    lines = list(_lines(run, readers)) if readers else []
    if readers and not lines:
        raise UsageError("the readers were asked none of this run's items; they take an exam on the same data set")
    return lines


def published_readers(kind: str) -> list[PublishedReaders]:
    """Return the published figures of readers for a kind of items, such as ``diagnosis``."""
    tables = [parse_json(path.read_text(encoding="utf-8")) for path in sorted(published_directory().glob("*.json"))]
    # Only tables of people state whom they read.
    return [line for table in tables if "population" in table for line in _published(table, kind)]


def _lines(run: ScoredSystem, readers: Sequence[ScoredSystem]) -> Iterator[ReaderLine]:
    # The run's own name may be that of a reader: of whoever is compared with the others.
    own = replace(run, name="")
    for task, scored in run.tasks.items():
        taking = [reader for reader in readers if task in reader.tasks]
        keys = [{(r.video_id, r.subject) for r in reader.tasks[task].references} for reader in taking]
        if not taking or not {(r.video_id, r.subject) for r in scored.references}.intersection(*keys):
            continue
        spec, pairs = join([own, *taking], [task]).shared[task]
        values = {name: _value(spec, of_system) for name, of_system in pairs.items()}
        mine = values.pop("")
        defined = [value for value in values.values() if value is not None]
        yield ReaderLine(
            task=task,
            metric=next(metric.label for metric in spec.metrics if metric.primary),
            scores=values,
            mean=fmean(defined) if defined else None,
            low=min(defined, default=None),
            high=max(defined, default=None),
            own=mine,
            n_items=len(pairs[""]),
            of_items=len(scored.references),
        )


def _value(spec: TaskSpec, pairs: Sequence[Pair]) -> float | None:
    metric = build_metric(spec.name, next(metric for metric in spec.metrics if metric.primary))
    value = float(metric.value(metric.statistics(pairs).sum(axis=0)))
    return value if math.isfinite(value) else None


def _published(table: Mapping[str, Any], kind: str) -> Iterator[PublishedReaders]:
    names = {metric["name"]: metric["of_readers"] for metric in table["metrics"] if metric["item"] == kind}
    for row in table["rows"]:
        figures = {title: (row["values"][name], *row["intervals"][name]) for name, title in names.items()}
        if figures:
            yield PublishedReaders(
                readers=row["model"], population=table["population"], figures=figures, source=table["source"]
            )
