"""The authors' expert study: reports that people scored, and how well the Seizure-RQI agrees with these people.

The release holds the people's scores, the published ones, and, for some or all of the systems, the reports and the
structures that an LLM extracted of them. Everything is computed from what a checkout has; what it lacks is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from s3harness.dataset.references import truths
from s3harness.dataset.tables import problem_lines
from s3harness.errors import DatasetError
from s3harness.metrics.base import Array, safe_ratio
from s3harness.metrics.rqi import ReportStructure, extract, parse_preset, score_report
from s3harness.metrics.rqi.judge import JudgeError
from s3harness.metrics.rqi.score import ReportReader, score_structures
from s3harness.metrics.rqi.validate import Key, Validation, validate
from s3harness.paper.annotations import Annotations
from s3harness.paper.answers import MODALITIES
from s3harness.paper.details import EXACT, paper_truths, structures
from s3harness.paper.layout import (
    Release,
    ReleaseTable,
    model_key,
    models,
    read_predictions,
    read_release_table,
    read_structures,
)
from s3harness.specs.features import vocabulary
from s3harness.stats import interval_of_rows
from s3harness.types import Interval

FOLDER = Path("metrics") / "task6_compare_metrics_with_human"
HUMAN = FOLDER / "task6_human_score.csv"
PUBLISHED = FOLDER / "task6_20videos_rqi_comparison.csv"
FEWEST = 3
"""Reports that a correlation takes."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One way of scoring the reports, and its agreement with the people; ``None`` with fewer than three reports."""

    score: str
    agreement: Validation | None
    n_reports: int


@dataclass(frozen=True, slots=True)
class Study:
    """What came of the study, and what the checkout lacks for it.

    ``remade`` counts the published scores that were computed again from a released structure, ``equal`` those of them
    that come out within 1e-9 points.
    """

    compared: tuple[Compared, ...]
    signs: tuple[SignAgreement, ...]
    remade: int
    equal: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Reports:
    """What a checkout has of the study, by (video, system): people's scores, published ones, texts and structures."""

    human: Mapping[Key, float]
    published: Mapping[Key, float]
    texts: Mapping[Key, str]
    structures: Mapping[Key, ReportStructure]
    problems: tuple[str, ...]


def read_reports_of_study(release: Release) -> Reports:
    """The study's reports; :class:`DatasetError` where there are no people's scores."""
    full = Release(release.root, "full")
    human, systems, problems = _wide(full.root / HUMAN)
    published, _, more = _wide(full.root / PUBLISHED) if (full.root / PUBLISHED).is_file() else ({}, (), [])
    problems += more
    texts: dict[Key, str] = {}
    extracted: dict[Key, ReportStructure] = {}
    folders = {model_key(name): name for name in models(full)}
    for system in systems:
        folder = folders.get(model_key(system), system)
        report, structures_of = _tables(full, folder, problems)
        texts |= {(v, system): c["report"] for v, c in report.items() if (v, system) in human and c.get("report")}
        extracted |= {(v, system): one for v, one in structures_of.items() if (v, system) in human}
    return Reports(human, published, texts, extracted, tuple(problems))


def texts_of_study(reports: Reports, annotations: Annotations) -> set[str]:
    """All that a judge has to read: the reports, and all experts' reports."""
    return {*reports.texts.values(), *(video.report for video in annotations.videos.values() if video.report)}


def study(
    release: Release, reports: Reports, annotations: Annotations, preset: str, judges: Mapping[str, ReportReader]
) -> Study:
    """Agreement with the people, by preset and by who read the reports; ``judges`` are read beside the rules."""
    released = _of_structures(release, reports, "paper")
    ways = {"paper, as published": reports.published, "paper, from the released structures": released}
    presets = dict.fromkeys(("paper", "strict-1", parse_preset(preset).name))
    for name in presets:
        if name != "paper":
            ways[f"{name}, from the released structures"] = _of_structures(release, reports, name)
        for who, read in {"rules": None, **judges}.items():
            ways[f"{name}, read by {who}"] = _of_texts(reports, annotations, name, read)
    both = [key for key in released if key in reports.published]
    equal = sum(abs(released[key] - reports.published[key]) <= EXACT for key in both)
    return Study(
        tuple(_compared(name, scores, reports.human) for name, scores in ways.items()),
        tuple(sign_agreements(release, annotations, judges)),
        len(both),
        equal,
        reports.problems,
    )


def _compared(name: str, scores: Mapping[Key, float], human: Mapping[Key, float]) -> Compared:
    scored = {key: value for key, value in scores.items() if key in human}
    return Compared(name, validate(scored, human) if len(scored) >= FEWEST else None, len(scored))


def _of_structures(release: Release, reports: Reports, preset: str) -> dict[Key, float]:
    truths_of, chosen = paper_truths(release), parse_preset(preset)
    scores = {
        key: score_structures(structure, truths_of[str(key[0])], chosen).value
        for key, structure in reports.structures.items()
        if key[0] in truths_of
    }
    return {key: value for key, value in scores.items() if value is not None}


def _of_texts(reports: Reports, annotations: Annotations, preset: str, judge: ReportReader | None) -> dict[Key, float]:
    """The defined scores of the reports that can be read, by a judge or else by the rules of the preset."""
    chosen, scores = parse_preset(preset), dict[Key, float]()
    for key, text in reports.texts.items():
        video = annotations.videos.get(str(key[0]))
        for _, truth in truths(video, "report", MODALITIES) if video else ():
            try:
                value = score_report(text, cast("Mapping[str, object]", truth), chosen, judge).value
            except JudgeError:
                continue
            scores |= {key: value} if value is not None else {}
    return scores


def _wide(path: Path) -> tuple[dict[Key, float], tuple[str, ...], list[str]]:
    """A table of numbers with a column per system: (video, system) → number, the systems, and what is odd."""
    table = read_release_table(path)
    systems = tuple(name for name in table.columns if name != "file_name")
    numbers: dict[Key, float] = {}
    problems = problem_lines(table.problems)
    for row, (video, cells) in enumerate(table.rows.items(), start=1):
        for system in systems:
            try:
                numbers[video, system] = float(cells[system])
            except ValueError:
                problems.append(f"{path.name}: row {row}, {system}: {cells[system]!r} is no number; left out")
    return numbers, systems, problems


def _tables(
    release: Release, model: str, problems: list[str]
) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, ReportStructure]]:
    """The reports and the structures of a system; what cannot be read or is odd is noted."""
    report = _table(release, model, "reports", problems)
    extracted = _table(release, model, "structures", problems)
    try:
        return (report.rows if report else {}), (structures(extracted) if extracted else {})
    except DatasetError as error:
        problems.append(str(error))
        return (report.rows if report else {}), {}


def _table(release: Release, model: str, what: str, problems: list[str]) -> ReleaseTable | None:
    try:
        table = read_structures(release, model) if what == "structures" else read_predictions(release, model, "report")
    except DatasetError as error:
        problems.append(str(error))
        return None
    problems += [f"{model}: no file of {what}"] if table is None else problem_lines(table.problems)
    return table


@dataclass(frozen=True, slots=True)
class SignAgreement:
    """Signs read from the experts' reports, held against the annotators' labels; intervals are between patients."""

    reader: str
    n_reports: int
    values: Mapping[str, tuple[float, Interval | None]]


def sign_agreements(
    release: Release, annotations: Annotations, judges: Mapping[str, ReportReader]
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


def _events(read: ReportReader, text: str) -> tuple[str, ...] | None:
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
