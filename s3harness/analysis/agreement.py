"""Agreement of annotators, or of versions of annotations, about signs, sides, diagnoses and times.

Each annotator's work is a data set directory; the videos that all of them have are compared. They are matched by the
source's own names where every data set has these, else by id. "untested" and missing annotations are no answers: they
are counted, and neither agree nor disagree with anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import mean, median
from typing import Literal

import numpy as np

from s3harness.analysis.coefficients import (
    MISSING,
    Codes,
    Coefficient,
    CohenKappa,
    FleissKappa,
    KrippendorffAlpha,
    MeanOfQuestions,
    PlainAgreement,
)
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.dataset.sources import source_names
from s3harness.errors import UsageError
from s3harness.metrics.base import Array
from s3harness.specs.features import vocabulary
from s3harness.stats import interval_of_rows
from s3harness.types import Interval, Video

RESAMPLES = 2000
WITHIN_S = (1.0, 2.0, 5.0)
"""Limits of the shares of time differences, in seconds."""

_PRESENCE, _SIDES, _DIAGNOSES = ("yes", "no"), ("left", "right", "both"), ("ES", "NES")


@dataclass(frozen=True, slots=True)
class Panel:
    """The videos that every annotator has: ``videos[n][a]`` is video n with the annotations of annotator a.

    All have the first annotator's ids. ``clusters`` number the patients of the first annotator's data set. ``left_out``
    are the videos of each annotator that another lacks, by their ids in that annotator's data set.
    """

    annotators: tuple[str, ...]
    videos: tuple[tuple[Video, ...], ...]
    clusters: tuple[int, ...]
    left_out: Mapping[str, tuple[str, ...]]

    @property
    def patients(self) -> int:
        """Return the number of patients of the videos."""
        return len(set(self.clusters))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval, resampling patients; ``None`` where it is undefined."""

    value: float | None
    interval: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionAgreement:
    """Agreement about one closed question.

    ``n`` videos were decided by at least two annotators and ``n_all`` by all; Fleiss' κ is computed on the latter.
    ``cohen`` is the mean over pairs, ``by_pair`` each pair's. ``prevalence`` is each annotator's share of ``positive``
    among their decided videos, ``undecided`` their number of undecided ones.
    """

    question: str
    kind: str
    n: int
    n_all: int
    agreement: float | None
    cohen: Estimate
    fleiss: Estimate
    krippendorff: Estimate
    by_pair: Mapping[str, float | None]
    positive: str
    prevalence: Mapping[str, float | None]
    undecided: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TimeAgreement:
    """Agreement about a moment: absolute differences in seconds over the pairs of annotators who both noted it."""

    moment: str
    n: int
    median_s: float | None
    within: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r over features between two annotators' prevalences, mean over pairs, among videos of a diagnosis."""

    diagnosis: str
    r: float | None
    n_features: int
    n_videos: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotatorAgreement:
    """Agreement of a panel about all questions and times.

    ``overall`` has each coefficient over the features: the mean of the features, and that of all labels pooled.
    """

    annotators: tuple[str, ...]
    n_videos: int
    n_patients: int
    left_out: Mapping[str, tuple[str, ...]]
    questions: tuple[QuestionAgreement, ...]
    overall: Mapping[str, Estimate]
    prevalence: tuple[Correlation, ...]
    times: tuple[TimeAgreement, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """A closed question: its name, its answers, the positive one first, and the reader of a video's answer."""

    name: str
    kind: str
    categories: tuple[str, ...]
    answer: Callable[[Video], str]


def load_panel(directories: Sequence[Path]) -> Panel:
    """Load two or more data set directories as a panel; :class:`UsageError` if they have no video in common."""
    if len(directories) < 2:
        raise UsageError("agreement takes two data set directories or more, one of each annotator")
    return panel_of(
        [load_dataset(directory) for directory in directories],
        [directory.name for directory in directories],
        [source_names(directory) for directory in directories],
    )


def panel_of(
    datasets: Sequence[Dataset], names: Sequence[str] = (), sources: Sequence[Mapping[str, str]] = ()
) -> Panel:
    """Return data sets as a panel, named by their own names, or by ``names`` where those are not distinct.

    ``sources`` are video id → the source's own name, by data set. Videos are matched by that name if all data sets have
    such names, else by id. Raises :class:`UsageError` if no video is in all of them.
    """
    # Ids of two imports may number different videos alike; the source's own names cannot.
    by_source = len(sources) == len(datasets) and all(sources)
    videos = [
        {sources[number].get(v.id, v.id) if by_source else v.id: v for v in dataset.videos}
        for number, dataset in enumerate(datasets)
    ]
    shared = {key: None for key in videos[0] if all(key in others for others in videos)}
    annotators = _distinct([[dataset.name for dataset in datasets], names, [f"annotator {n}" for n in range(1, 99)]])
    if not shared:
        cause = "their sources name the videos differently" if by_source else "ids must be the same in each data set"
        raise UsageError(f"{', '.join(annotators)}: no video is in all of them; {cause}")
    # By the first annotator's patients: another may not have noted who is the same person.
    numbers = {patient: number for number, patient in enumerate(sorted({v.patient for v in videos[0].values()}))}
    return Panel(
        annotators[: len(datasets)],
        tuple(tuple(replace(of[key], id=videos[0][key].id) for of in videos) for key in shared),
        tuple(numbers[videos[0][key].patient] for key in shared),
        {
            name: tuple(video.id for key, video in of.items() if key not in shared)
            for name, of in zip(annotators, videos, strict=False)
        },
    )


def agreement(panel: Panel, *, resamples: int = RESAMPLES, seed: int = 0) -> AnnotatorAgreement:
    """Compute the agreement of a panel's annotators; ``resamples`` and ``seed`` are those of the intervals."""
    questions = [(question, _codes(panel, question)) for question in _questions(panel)]
    # The overall coefficients are of Task 1 alone: sides and body parts have other categories.
    features = [codes for question, codes in questions if question.kind == "feature"]
    return AnnotatorAgreement(
        annotators=panel.annotators,
        n_videos=len(panel.videos),
        n_patients=panel.patients,
        left_out=panel.left_out,
        questions=tuple(_agreement(panel, question, codes, resamples, seed) for question, codes in questions),
        overall=_overall(panel, features, resamples, seed),
        prevalence=tuple(_correlation(panel, diagnosis) for diagnosis in _DIAGNOSES),
        times=tuple(_times(panel)),
    )


def _distinct(candidates: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the first list whose names all differ."""
    n = len(candidates[0])
    # The last list, "annotator 1" and so on, always has distinct names, so next() finds one.
    return tuple(next(names for names in candidates if len(set(filter(None, names[:n]))) == n))[:n]


def _questions(panel: Panel) -> Iterator[_Question]:
    """Yield the closed questions: presence of each feature, sides, body part of the onset, and diagnosis."""
    # A sign that no data set has is no question; a feature that one annotator lacks is undecided there.
    signs = (*vocabulary().names, *vocabulary().signs)
    for name in signs:
        if any(name in video.features for videos in panel.videos for video in videos):
            kind = "feature" if name in vocabulary().names else "sign"
            yield _Question(name, kind, _PRESENCE, partial(_presence, name=name))
    for name in signs:
        if any(_side(video, name) for videos in panel.videos for video in videos):
            yield _Question(f"side of {name}", "side", _SIDES, partial(_side, name=name))
    yield _Question("onset_body_part", "body part", vocabulary().body_parts, lambda video: video.onset_body_part)
    yield _Question("diagnosis", "diagnosis", _DIAGNOSES, lambda video: video.diagnosis or "")


def _presence(video: Video, name: str) -> str:
    return video.features[name].present if name in video.features else ""


def _side(video: Video, name: str) -> str:
    """Return the side of a sign that is present, else ""."""
    # An import keeps sides of signs that Task 1 calls absent; these are no answers about a sign that is there.
    return (video.features[name].side or "") if _presence(video, name) == "yes" else ""


def _codes(panel: Panel, question: _Question) -> Codes:
    """Return category numbers, shape (videos, annotators); an answer outside the categories is missing."""
    number = {category: n for n, category in enumerate(question.categories)}
    rows = [[number.get(question.answer(video), MISSING) for video in videos] for videos in panel.videos]
    return np.array(rows, dtype=np.int64)


def _agreement(panel: Panel, question: _Question, codes: Codes, resamples: int, seed: int) -> QuestionAgreement:
    size = len(question.categories)
    cohen = CohenKappa(size)
    decided = (codes != MISSING).sum(axis=1)
    pairs = [" – ".join(pair) for pair in combinations(panel.annotators, 2)]
    plain = PlainAgreement(size)

    def estimate(coefficient: Coefficient) -> Estimate:
        return _estimate(coefficient, coefficient.statistics(codes), panel.clusters, resamples, seed)

    return QuestionAgreement(
        question=question.name,
        kind=question.kind,
        n=int((decided >= 2).sum()),
        n_all=int((decided == codes.shape[1]).sum()),
        agreement=_number(plain.value(plain.statistics(codes).sum(axis=0))),
        cohen=estimate(cohen),
        fleiss=estimate(FleissKappa(size)),
        krippendorff=estimate(KrippendorffAlpha(size)),
        by_pair={
            pair: _number(k) for pair, k in zip(pairs, cohen.by_pair(cohen.statistics(codes).sum(axis=0)), strict=True)
        },
        # No body part is the positive one.
        positive=question.categories[0] if question.kind != "body part" else "",
        prevalence={} if question.kind == "body part" else _prevalences(panel, codes),
        undecided={name: int(n) for name, n in zip(panel.annotators, (codes == MISSING).sum(axis=0), strict=True)},
    )


def _prevalences(panel: Panel, codes: Codes) -> dict[str, float | None]:
    """Return annotator → share of the first category among the decided videos."""
    return {
        name: float((column == 0).sum() / n) if (n := (column != MISSING).sum()) else None
        for name, column in zip(panel.annotators, codes.T, strict=True)
    }


def _overall(panel: Panel, features: Sequence[Codes], resamples: int, seed: int) -> dict[str, Estimate]:
    """Return coefficient and way of averaging → its estimate over the features."""
    if not features:
        return {}
    overall = {}
    size = len(_PRESENCE)
    for name, coefficient in (
        ("Cohen's κ", CohenKappa(size)),
        ("Fleiss' κ", FleissKappa(size)),
        ("Krippendorff's α", KrippendorffAlpha(size)),
    ):
        rows = [coefficient.statistics(codes) for codes in features]
        mean_of_features = MeanOfQuestions(coefficient, len(rows))
        # Side by side: one resample of patients gives all features of these patients.
        columns = np.hstack(rows)
        overall[f"{name}, mean of features"] = _estimate(mean_of_features, columns, panel.clusters, resamples, seed)
        # One below the other: each label is an item, still drawn with its patient.
        clusters = panel.clusters * len(rows)
        overall[f"{name}, all labels"] = _estimate(coefficient, np.vstack(rows), clusters, resamples, seed)
    return overall


def _estimate(
    formula: Coefficient | MeanOfQuestions, rows: Array, clusters: Sequence[int], resamples: int, seed: int
) -> Estimate:
    value = _number(formula.value(rows.sum(axis=0)))
    interval = interval_of_rows(formula, rows, clusters, resamples=resamples, seed=seed).interval
    # Resamples in which everybody agrees on one answer leave κ undefined, and with it the interval's ends.
    if value is None or interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return Estimate(value, None)
    return Estimate(value, interval)


def _correlation(panel: Panel, diagnosis: str) -> Correlation:
    """Correlate the annotators' prevalences among the videos of a diagnosis, that of the first who gives one."""
    chosen = [videos for videos in panel.videos if next((v.diagnosis for v in videos if v.diagnosis), "") == diagnosis]
    of_annotators = list(zip(*chosen, strict=True))
    shares = [np.array([_share(videos, name) for name in vocabulary().names]) for videos in of_annotators]
    pairs = [np.stack(pair) for pair in combinations(shares, 2)]
    both = [pair[:, np.isfinite(pair).all(axis=0)] for pair in pairs]
    # Through two points r is always ±1, and without variance it is 0/0.
    values = [float(np.corrcoef(b)[0, 1]) for b in both if b.shape[1] > 2 and (b.std(axis=1) > 0).all()]
    n_features = max((b.shape[1] for b in both), default=0)
    return Correlation(diagnosis, mean(values) if values else None, n_features, len(chosen))


def _share(videos: Sequence[Video], name: str) -> float:
    """Return the share of videos with a sign among those where it could be decided, 0–1; NaN if there are none."""
    decided = [present for video in videos if (present := _presence(video, name)) in _PRESENCE]
    return decided.count("yes") / len(decided) if decided else math.nan


def _times(panel: Panel) -> Iterator[TimeAgreement]:
    """Yield the agreement about the seizure's onset and offset, those of all signs pooled, and each sign's onset."""
    names = vocabulary().names
    onsets = {name: _differences(panel, partial(_time, name=name, end="start_s")) for name in names}
    ends = [_differences(panel, partial(_time, name=name, end="end_s")) for name in names]
    yield _time_agreement("seizure onset", _differences(panel, lambda video: video.onset_s))
    yield _time_agreement("seizure offset", _differences(panel, lambda video: video.offset_s))
    yield _time_agreement("onset of a sign", [d for differences in onsets.values() for d in differences])
    yield _time_agreement("offset of a sign", [d for differences in ends for d in differences])
    # Of single signs the onsets alone: the order of events is made of these.
    for name, differences in onsets.items():
        if differences:
            yield _time_agreement(f"onset of {name}", differences)


def _time(video: Video, name: str, end: Literal["start_s", "end_s"]) -> float | None:
    """Return the onset or offset of a sign that is present, else ``None``."""
    # Some tables keep times of absent signs.
    return getattr(video.features[name], end) if _presence(video, name) == "yes" else None


def _differences(panel: Panel, time: Callable[[Video], float | None]) -> list[float]:
    """Return the absolute differences of all pairs of annotators who both have the time, in seconds."""
    noted = [[t for video in videos if (t := time(video)) is not None] for videos in panel.videos]
    return [abs(one - other) for times in noted for one, other in combinations(times, 2)]


def _time_agreement(moment: str, differences: Sequence[float]) -> TimeAgreement:
    n = len(differences)
    within = {f"{limit:g} s": sum(d <= limit for d in differences) / n for limit in WITHIN_S} if n else {}
    return TimeAgreement(moment, n, median(differences) if n else None, within)


def _number(value: Array | float) -> float | None:
    return float(value) if math.isfinite(value) else None
