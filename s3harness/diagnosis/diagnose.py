"""The two-stage diagnosis of one source, out of fold, beside its floor, the model's own answers, and the ceiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from s3harness.diagnosis.cases import Cases, Numbers
from s3harness.diagnosis.contract import load_classifier
from s3harness.diagnosis.crossfit import Repeat, cross_fit, diagnose_out_of_fold
from s3harness.diagnosis.explain import Explanation, explain
from s3harness.diagnosis.fit import Fitted
from s3harness.diagnosis.flips import Flip, flips
from s3harness.diagnosis.folds import deal_folds, folds_of_splits, held_out, require_both, require_patients
from s3harness.diagnosis.scores import CurvePoint, System, calibration_curve, score_answers, score_probabilities
from s3harness.diagnosis.signs import Influence, LikelihoodRatios, influences, likelihood_ratios
from s3harness.diagnosis.sources import Direct, Source
from s3harness.errors import S3HarnessError, UsageError
from s3harness.paper.two_stage import TwoStageFigure, published_two_stage

CLASSIFIERS = ("logistic_regression", "shallow_tree", "random_forest")
DIRECT_NAMES = {"video": "own answer, video alone", "video_and_report": "own answer, video and expert's report"}

FittedOn = Literal["predictions", "annotations"]
FITTED_ON: tuple[FittedOn, ...] = get_args(FittedOn)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to diagnose: ``folds`` is a number of folds, ``split`` (the data set's own) or ``paper`` (the authors')."""

    classifiers: tuple[str, ...] = CLASSIFIERS
    folds: str = "5"
    repeats: int = 3
    seed: int = 0
    resamples: int = 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """What one fold's classifier chose on its inner folds, and the rules of a classifier that can be read."""

    setting: Mapping[str, object]
    threshold: float
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one classifier made of the signs, all of it out of fold."""

    classifier: str
    fitted_on: FittedOn
    influences: tuple[Influence, ...]
    curve: tuple[CurvePoint, ...]
    choices: tuple[Choice, ...]
    explanations: tuple[Explanation, ...]
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """All that came of one source.

    ``ratios`` are of its own answers, ``true_ratios`` of the annotations of the same videos; ``notes`` say what is to
    be known, what could not be done among it.
    """

    source: str
    n: int
    n_patients: int
    es: int
    nes: int
    signs: tuple[str, ...]
    folds: str
    repeats: int
    systems: tuple[System, ...]
    ratios: tuple[LikelihoodRatios, ...]
    true_ratios: tuple[LikelihoodRatios, ...]
    findings: tuple[Findings, ...]
    published: TwoStageFigure | None
    notes: tuple[str, ...]


@dataclass
class Memory:
    """Classifiers of the annotations: the same for all models that were asked for the same signs of the same videos."""

    known: dict[object, Sequence[Repeat]] = field(default_factory=dict)

    def once(self, key: object, make: Callable[[], Sequence[Repeat]]) -> Sequence[Repeat]:
        """What was made for a key before, or is made now."""
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]


def diagnose(source: Source, settings: Settings, memory: Memory | None = None) -> Diagnosed:
    """Diagnose the labelled videos of a source by every classifier, fitted on other patients only.

    A classifier learns from the model's own predictions of the other patients, and, for a second result, from what the
    annotators saw in them. Raises :class:`UsageError` where nothing can be fitted, naming what is missing.
    """
    cases = source.perceived.take(source.perceived.is_labelled)
    _require_labels(source, cases)
    truths = _same_videos(source.annotated, cases).of_signs(cases.signs)
    folds = _folds(cases, settings)
    work = _Work(source, cases, truths, folds, settings, memory or Memory())
    systems, findings, failures = work.done()
    if not findings:
        raise UsageError(f"{source.name}: {failures[0]}")
    es = int(cases.truth.sum())
    return Diagnosed(
        source.name,
        len(cases),
        len(cases.marks),
        es,
        len(cases) - es,
        cases.signs,
        settings.folds,
        len(folds),
        tuple(systems),
        tuple(likelihood_ratios(cases, resamples=settings.resamples)),
        tuple(likelihood_ratios(truths, resamples=settings.resamples)),
        tuple(findings),
        published_two_stage(source.release_model, es, len(cases) - es) if source.release_model else None,
        (*source.notes, *_notes(source, cases), *failures),
    )


def diagnose_all(
    sources: Sequence[tuple[str, Callable[[], Source]]], settings: Settings, report: Callable[[str], None]
) -> tuple[dict[str, Diagnosed], list[str]]:
    """Read and diagnose sources; return the results by name, and the messages of those that failed.

    ``report`` is called with each name before its work begins. The error of a single source is raised.
    """
    memory, failures = Memory(), []
    results: dict[str, Diagnosed] = {}
    for name, read in sources:
        report(name)
        try:
            results[name] = diagnose(read(), settings, memory)
        except S3HarnessError as error:
            # Of several sources, one that fails must not cost the results of the others, which take minutes.
            if len(sources) == 1:
                raise
            failures.append(f"{name}: {error}")
    return results, failures


def floor_and_direct(source: Source, cases: Cases, resamples: int) -> Iterator[System]:
    """What always saying ES scores on labelled cases, and what the model's own answers to Task 7 do."""
    floor = score_answers(cases, np.ones((1, len(cases))), resamples=resamples)
    yield System("always ES", "floor", floor, len(cases), len(cases))
    for direct in source.direct:
        yield _direct_system(direct, source.perceived, cases, resamples)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the systems of one source are made from."""

    source: Source
    cases: Cases
    truths: Cases
    folds: Sequence[Numbers]
    settings: Settings
    memory: Memory

    def done(self) -> tuple[list[System], list[Findings], list[str]]:
        """The systems in the order of the table, the findings, and what could not be done."""
        systems = list(floor_and_direct(self.source, self.cases, self.settings.resamples))
        ceilings: list[System] = []
        findings: list[Findings] = []
        failures: list[str] = []
        for fitted_on in FITTED_ON:
            try:
                for classifier in self.settings.classifiers:
                    repeats = self._repeats(classifier, fitted_on)
                    systems.append(self._system(classifier, fitted_on, repeats, self.cases, "two-stage"))
                    findings.append(self._findings(classifier, fitted_on, repeats))
                    if fitted_on == "annotations":
                        ceilings.append(self._system(classifier, fitted_on, repeats, self.truths, "ceiling"))
            except UsageError as error:
                failures.append(f"not fitted on {fitted_on}: {error}")
        return systems + ceilings, findings, failures

    def _repeats(self, classifier: str, fitted_on: str) -> Sequence[Repeat]:
        if fitted_on == "predictions":
            self._require_predictions()
            return self._fitted(self.cases, classifier)
        learn = self.source.annotated.of_signs(self.cases.signs)
        people = (self.cases.videos, tuple(self.cases.patients.tolist()), learn.videos)
        key = (classifier, learn.signs, people, tuple(tuple(folds.tolist()) for folds in self.folds))
        return self.memory.once(key, lambda: self._fitted(learn, classifier))

    def _fitted(self, learn: Cases, classifier: str) -> Sequence[Repeat]:
        seed = self.settings.seed
        return [cross_fit(learn, self.cases, folds, classifier, seed + n) for n, folds in enumerate(self.folds)]

    def _require_predictions(self) -> None:
        answered = self.cases.take(self.cases.is_answered)
        if self.settings.folds.isdigit():
            require_patients(answered, int(self.settings.folds))
        elif len(held_out(self.folds[0])) < 2:
            raise UsageError(
                f"all videos with predictions are of one fold ({self.cases.splits[0]}), so no video is left to fit a "
                "classifier on; use --folds 5, or predictions of all folds (--part full)"
            )

    def _system(self, classifier: str, fitted_on: str, repeats: Sequence[Repeat], cases: Cases, kind: str) -> System:
        found = diagnose_out_of_fold(repeats, cases)
        measures = score_probabilities(cases, found, resamples=self.settings.resamples)
        answered = float(np.isfinite(found.says_es).sum() / len(repeats))
        title = classifier.replace("_", " ")
        name = f"{title}, true signs" if kind == "ceiling" else f"{title}, fitted on {fitted_on}"
        return System(name, kind, measures, answered, len(cases), classifier, fitted_on)

    def _findings(self, classifier: str, fitted_on: FittedOn, repeats: Sequence[Repeat]) -> Findings:
        found = diagnose_out_of_fold(repeats, self.cases).probability.mean(axis=0)
        resamples = self.settings.resamples
        return Findings(
            classifier,
            fitted_on,
            tuple(influences(repeats, self.cases, resamples=resamples)),
            tuple(calibration_curve(self.cases, found, resamples=resamples)),
            tuple(choice_of(fold.fitted) for folds in repeats for fold in folds),
            tuple(explain(repeats, self.cases)),
            tuple(flips(repeats, self.cases, self.truths)),
        )


def choice_of(fitted: Fitted) -> Choice:
    """What was chosen, and the rules."""
    rules = load_classifier(fitted.classifier).rules(fitted.parameters, fitted.encoder.titles())
    return Choice(fitted.setting, fitted.threshold, tuple(rules))


def _folds(cases: Cases, settings: Settings) -> list[Numbers]:
    """The folds of each repeat; a data set's own folds are there once."""
    if settings.folds.isdigit():
        return [deal_folds(cases, int(settings.folds), settings.seed + n) for n in range(settings.repeats)]
    return [folds_of_splits(cases, settings.folds)]


def _require_labels(source: Source, cases: Cases) -> None:
    if not len(cases):
        raise UsageError(
            f"{source.name}: its videos have no diagnosis, because it has no Task-7 items; name its data set "
            "(--data DIR), or run the model with --tasks 1,7"
        )
    require_both(cases)


def _same_videos(annotated: Cases, cases: Cases) -> Cases:
    places = {video: number for number, video in enumerate(annotated.videos)}
    return annotated.take([places[video] for video in cases.videos])


def _direct_system(direct: Direct, perceived: Cases, cases: Cases, resamples: int) -> System:
    chosen = np.isin(np.array(perceived.videos), cases.videos) & direct.is_asked
    asked, says = perceived.take(chosen), direct.says_es[chosen]
    measures = score_answers(asked, says[None, :], resamples=resamples)
    name = DIRECT_NAMES.get(direct.subject, f"own answer, {direct.subject}")
    return System(name, "direct", measures, float(np.isfinite(says).sum()), len(asked))


def _notes(source: Source, cases: Cases) -> Iterator[str]:
    """What is to be known of the cases."""
    unlabelled, silent = len(source.perceived) - len(cases), int((~cases.is_answered).sum())
    if unlabelled:
        yield f"{unlabelled} videos without a diagnosis are left out"
    if silent:
        yield f"{silent} of {len(cases)} videos have no answer about any sign; their diagnosis counts as wrong"
    never = [s for s, values in zip(cases.signs, cases.vectors.T, strict=True) if not (values >= 0.5).any()]
    if never:
        yield f"signs that the answers never report, and so without evidence: {', '.join(never)}; see the Task-1 scores"
    if not source.direct:
        yield "no Task-7 answers to compare with; run the model with --tasks 1,7"
