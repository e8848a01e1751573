"""The authors' expert study: reports scored by people, and the agreement of the Seizure-RQI with these scores.

The release contains the people's scores, the published ones, and, for some or all of the systems, the reports and the
structures that an LLM extracted from them. Everything is computed from the files of a checkout; missing ones are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

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
from s3harness.paper.layout import (
    Release,
    ReleaseTable,
    model_key,
    models,
    read_predictions,
    read_release_table,
    read_structures,
)
from s3harness.paper.video_scores import EXACT, paper_truths, parse_structures
from s3harness.specs.features import vocabulary
from s3harness.stats import interval_of_rows
from s3harness.types import Interval

FOLDER = Path("metrics") / "task6_compare_metrics_with_human"
HUMAN = FOLDER / "task6_human_score.csv"
PUBLISHED = FOLDER / "task6_20videos_rqi_comparison.csv"
MIN_REPORTS = 3
"""Least number of reports for a correlation: through two points it is always ±1."""


@dataclass(frozen=True, slots=True)
class MethodAgreement:
    """One method of scoring the reports, and its agreement with the people; ``None`` with fewer than three reports."""

    score: str
    agreement: Validation | None
    n_reports: int


@dataclass(frozen=True, slots=True)
class Study:
    """Results of the study, and the files that the checkout lacks for it.

    ``remade`` counts the published scores that were recomputed from a released structure, ``equal`` those of them that
    were recomputed within 1e-9 points.
    """

    compared: tuple[MethodAgreement, ...]
    signs: tuple[SignAgreement, ...]
    remade: int
    equal: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Reports:
    """Data of the study in a checkout, by (video, system): people's scores, published ones, texts and structures."""

    human: Mapping[Key, float]
    published: Mapping[Key, float]
    texts: Mapping[Key, str]
    structures: Mapping[Key, ReportStructure]
    problems: tuple[str, ...]


def read_reports_of_study(release: Release) -> Reports:
    """Read the study's reports; :class:`DatasetError` where there are no people's scores."""
    # The study is published with the full part alone, also for a checkout opened for the test part.
    full = Release(release.root, "full")
    human, systems, problems = _read_scores(full.root / HUMAN)
    # Without published scores the agreement can still be computed from reports and structures.
    has_published = (full.root / PUBLISHED).is_file()
    published, _, published_problems = _read_scores(full.root / PUBLISHED) if has_published else ({}, (), [])
    problems += published_problems
    texts: dict[Key, str] = {}
    extracted: dict[Key, ReportStructure] = {}
    folders = {model_key(name): name for name in models(full)}
    for system in systems:
        # The study spells its systems differently from the folders; without a folder the missing files are named.
        folder = folders.get(model_key(system), system)
        rows, of_system = _read_system(full, folder, problems)
        # Only what people scored: the files hold the reports of all videos.
        texts |= {(v, system): c["report"] for v, c in rows.items() if (v, system) in human and c.get("report")}
        extracted |= {(v, system): one for v, one in of_system.items() if (v, system) in human}
    return Reports(human, published, texts, extracted, tuple(problems))


def texts_of_study(reports: Reports, annotations: Annotations) -> set[str]:
    """Return all texts that a judge must read: the systems' reports, and the experts' reports of all videos."""
    return {*reports.texts.values(), *(video.report for video in annotations.videos.values() if video.report)}


def study(
    release: Release, reports: Reports, annotations: Annotations, preset: str, judges: Mapping[str, ReportReader]
) -> Study:
    """Compute the agreement with the people by preset and reader; ``judges`` read the reports beside the rules."""
    released = _score_structures(release, reports, "paper")
    methods = {"paper, as published": reports.published, "paper, from the released structures": released}
    # The first strict preset stays beside the chosen one, so that their agreements can be compared.
    presets = dict.fromkeys(("paper", "strict-1", parse_preset(preset).name))
    for name in presets:
        if name != "paper":
            methods[f"{name}, from the released structures"] = _score_structures(release, reports, name)
        for reader_name, reader in {"rules": None, **judges}.items():
            methods[f"{name}, read by {reader_name}"] = _score_texts(reports, annotations, name, reader)
    both = [key for key in released if key in reports.published]
    equal = sum(abs(released[key] - reports.published[key]) <= EXACT for key in both)
    return Study(
        tuple(_method_agreement(name, scores, reports.human) for name, scores in methods.items()),
        tuple(sign_agreements(release, annotations, judges)),
        len(both),
        equal,
        reports.problems,
    )


def _method_agreement(name: str, scores: Mapping[Key, float], human: Mapping[Key, float]) -> MethodAgreement:
    scored = {key: value for key, value in scores.items() if key in human}
    return MethodAgreement(name, validate(scored, human) if len(scored) >= MIN_REPORTS else None, len(scored))


def _score_structures(release: Release, reports: Reports, preset: str) -> dict[Key, float]:
    truth_by_video, parsed_preset = paper_truths(release), parse_preset(preset)
    scores = {
        key: score_structures(structure, truth_by_video[str(key[0])], parsed_preset).value
        for key, structure in reports.structures.items()
        if key[0] in truth_by_video
    }
    # A preset may leave out videos, as those whose expert's report names no sign.
    return {key: value for key, value in scores.items() if value is not None}


def _score_texts(
    reports: Reports, annotations: Annotations, preset: str, judge: ReportReader | None
) -> dict[Key, float]:
    """Return the defined scores of the reports that a judge, or else the rules of the preset, can read."""
    parsed_preset, scores = parse_preset(preset), dict[Key, float]()
    for key, text in reports.texts.items():
        video = annotations.videos.get(str(key[0]))
        for _, truth in truths(video, "report", MODALITIES) if video else ():
            try:
                value = score_report(text, cast("Mapping[str, object]", truth), parsed_preset, judge).value
            except JudgeError:
                # One report that the judge could not read must not lose the agreement on the others.
                continue
            scores |= {key: value} if value is not None else {}
    return scores


def _read_scores(path: Path) -> tuple[dict[Key, float], tuple[str, ...], list[str]]:
    """Read a table of scores with a column per system: (video, system) → score, the systems, and the problems."""
    table = read_release_table(path)
    systems = tuple(name for name in table.columns if name != "file_name")
    numbers: dict[Key, float] = {}
    problems = problem_lines(table.problems)
    for row, (video, cells) in enumerate(table.rows.items(), start=1):
        for system in systems:
            try:
                numbers[video, system] = float(cells[system])
            except ValueError:
                # By the row's number: its name contains a date and the diagnosis.
                problems.append(f"{path.name}: row {row}, {system}: {cells[system]!r} is not a number; left out")
    return numbers, systems, problems


def _read_system(
    release: Release, model: str, problems: list[str]
) -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, ReportStructure]]:
    """Read the rows of reports and the structures of a system; problems are added to the list."""
    report = _table(release, model, "reports", problems)
    extracted = _table(release, model, "structures", problems)
    try:
        return (report.rows if report else {}), (parse_structures(extracted) if extracted else {})
    except DatasetError as error:
        # Structures that are not valid leave the reports, which rules and judges can still read.
        problems.append(str(error))
        return (report.rows if report else {}), {}


def _table(
    release: Release, model: str, kind: Literal["reports", "structures"], problems: list[str]
) -> ReleaseTable | None:
    try:
        table = read_structures(release, model) if kind == "structures" else read_predictions(release, model, "report")
    except DatasetError as error:
        problems.append(str(error))
        return None
    problems += [f"{model}: no file of {kind}"] if table is None else problem_lines(table.problems)
    return table


@dataclass(frozen=True, slots=True)
class SignAgreement:
    """Signs extracted from the experts' reports, compared with the annotators' labels; intervals resample patients."""

    reader: str
    n_reports: int
    values: Mapping[str, tuple[float, Interval | None]]


def sign_agreements(
    release: Release, annotations: Annotations, judges: Mapping[str, ReportReader]
) -> Iterator[SignAgreement]:
    """Yield the agreement of each extractor of signs with the labels: rules, judges, and the released extraction."""
    reports = {name: video.report for name, video in annotations.videos.items() if video.report}
    for reader_name, reader in {"rules": extract, **judges}.items():
        events = {name: _extract_events(reader, text) for name, text in reports.items()}
        yield _sign_agreement(reader_name, events, annotations)
    path = release.truth / "task6_report_modified.csv"
    # Parts of the release without this file still have the rules and the judges.
    if path.is_file():
        extracted = parse_structures(read_release_table(path))
        released = {name: extracted[name].events for name in reports if name in extracted}
        yield _sign_agreement("released extraction (an LLM)", released, annotations)


def _extract_events(reader: ReportReader, text: str) -> tuple[str, ...] | None:
    try:
        return reader(text).events
    except JudgeError:
        # None, not (): a report that was not read is left out, and one without signs counts.
        return None


def _sign_agreement(
    reader: str, events: Mapping[str, tuple[str, ...] | None], annotations: Annotations
) -> SignAgreement:
    names = [name for name, signs in events.items() if signs is not None]
    # reshape: without any report the array would have one dimension.
    rows = np.array([_count_signs(annotations, name, events[name] or ()) for name in names], dtype=np.float64)
    rows = rows.reshape(-1, 3)
    clusters = np.array([int(annotations.videos[name].patient[1:]) for name in names])
    values = {}
    for measure, formula in _MEASURES.items():
        value = float(formula.value(rows.sum(axis=0)))
        values[measure] = (value, interval_of_rows(formula, rows, clusters).interval)
    return SignAgreement(reader, len(names), values)


def _count_signs(annotations: Annotations, name: str, events: Iterable[str]) -> tuple[int, int, int]:
    """Return the numbers of signs of a video that are correct, reported, and labelled."""
    names = vocabulary().names
    features = annotations.videos[name].features
    # A sign outside the vocabulary has no label that it could agree with.
    reported = {event for event in events if event in names}
    labelled = {sign for sign in names if sign in features and features[sign].present == "yes"}
    return len(reported & labelled), len(reported), len(labelled)


@dataclass(frozen=True)
class _Measure:
    """A ratio of the sums of :func:`_count_signs`."""

    ratio: Callable[[Array, Array, Array], Array]

    def value(self, totals: Array) -> Array:
        return self.ratio(totals[..., 0], totals[..., 1], totals[..., 2])


_MEASURES: Mapping[str, _Measure] = {
    "precision": _Measure(lambda correct, reported, _: safe_ratio(correct, reported)),
    "recall": _Measure(lambda correct, _, labelled: safe_ratio(correct, labelled)),
    "F1": _Measure(lambda correct, reported, labelled: safe_ratio(2 * correct, reported + labelled)),
}
