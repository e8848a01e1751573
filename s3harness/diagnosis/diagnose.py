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
from s3harness.diagnosis.folds import (
    deal_folds,
    folds_of_splits,
    held_out_masks,
    require_both_classes,
    require_patients,
)
from s3harness.diagnosis.scores import CurvePoint, MethodScores, calibration_curve, score_answers, score_probabilities
from s3harness.diagnosis.signs import Influence, LikelihoodRatios, influences, likelihood_ratios
from s3harness.diagnosis.sources import DiagnosisSource, DirectAnswers
from s3harness.errors import S3HarnessError, UsageError
from s3harness.paper.two_stage import TwoStageFigure, published_two_stage

CLASSIFIERS = ("logistic_regression", "shallow_tree", "random_forest")
DIRECT_NAMES = {"video": "own answer, video alone", "video_and_report": "own answer, video and expert's report"}

FittedOn = Literal["predictions", "annotations"]
FITTED_ON: tuple[FittedOn, ...] = get_args(FittedOn)


@dataclass(frozen=True, slots=True)
class DiagnosisSettings:
    """Settings of a diagnosis: ``folds`` is a number, ``split`` (the data set's own) or ``paper`` (the authors')."""

    classifiers: tuple[str, ...] = CLASSIFIERS
    folds: str = "5"
    repeats: int = 3
    seed: int = 0
    resamples: int = 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """The setting and threshold that one fold chose on its inner folds, and the rules of a readable classifier."""

    setting: Mapping[str, object]
    threshold: float
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """Results of one classifier about the signs, all of them out of fold."""

    classifier: str
    fitted_on: FittedOn
    influences: tuple[Influence, ...]
    curve: tuple[CurvePoint, ...]
    choices: tuple[Choice, ...]
    explanations: tuple[Explanation, ...]
    flips: tuple[Flip, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosed:
    """All results of one source.

    ``ratios`` are of its own answers, ``true_ratios`` of the annotations of the same videos; ``notes`` are for the
    reader of the results, and name what could not be fitted.
    """

    source: str
    n: int
    n_patients: int
    es: int
    nes: int
    signs: tuple[str, ...]
    folds: str
    repeats: int
    systems: tuple[MethodScores, ...]
    ratios: tuple[LikelihoodRatios, ...]
    true_ratios: tuple[LikelihoodRatios, ...]
    findings: tuple[Findings, ...]
    published: TwoStageFigure | None
    notes: tuple[str, ...]


@dataclass
class FitCache:
    """Cache of classifiers that were fitted on annotations, which models with the same signs and videos share."""

    entries: dict[object, Sequence[Repeat]] = field(default_factory=dict)

    def get_or_fit(self, key: object, fit_repeats: Callable[[], Sequence[Repeat]]) -> Sequence[Repeat]:
        """Return the entry of a key, fitted now if it is new."""
        if key not in self.entries:
            self.entries[key] = fit_repeats()
        return self.entries[key]


def diagnose(source: DiagnosisSource, settings: DiagnosisSettings, cache: FitCache | None = None) -> Diagnosed:
    """Diagnose the labelled videos of a source by every classifier, fitted on other patients only.

    A classifier is fitted on the model's own predictions of the other patients, and, for a second result, on their
    annotations. Raises :class:`UsageError` if nothing can be fitted, with what is missing.
    """
    cases = source.perceived.take(source.perceived.is_labelled)
    _require_labels(source, cases)
    truths = _same_videos(source.annotated, cases).of_signs(cases.signs)
    folds = _folds(cases, settings)
    evaluation = _Evaluation(
        source=source, cases=cases, truths=truths, folds=folds, settings=settings, cache=cache or FitCache()
    )
    systems, findings, failures = evaluation.run()
    # Part of a result is a result: fitting on annotations may succeed where predictions are too few.
    if not findings:
        raise UsageError(f"{source.name}: {failures[0]}")
    es = int(cases.truth.sum())
    nes = len(cases) - es
    return Diagnosed(
        source=source.name,
        n=len(cases),
        n_patients=len(cases.marks),
        es=es,
        nes=nes,
        signs=cases.signs,
        folds=settings.folds,
        repeats=len(folds),
        systems=tuple(systems),
        ratios=tuple(likelihood_ratios(cases, resamples=settings.resamples)),
        true_ratios=tuple(likelihood_ratios(truths, resamples=settings.resamples)),
        findings=tuple(findings),
        # The paper prints figures of its own models alone.
        published=published_two_stage(source.release_model, es, nes) if source.release_model else None,
        notes=(*source.notes, *_notes(source, cases), *failures),
    )


def diagnose_all(
    sources: Sequence[tuple[str, Callable[[], DiagnosisSource]]],
    settings: DiagnosisSettings,
    report: Callable[[str], None],
) -> tuple[dict[str, Diagnosed], list[str]]:
    """Read and diagnose sources; return the results by name, and the messages of those that failed.

    ``report`` is called with each name before its work begins. The error of a single source is raised.
    """
    cache, failures = FitCache(), []
    results: dict[str, Diagnosed] = {}
    for name, read in sources:
        report(name)
        try:
            results[name] = diagnose(read(), settings, cache)
        except S3HarnessError as error:
            # Of several sources, one that fails must not cost the results of the others, which take minutes.
            if len(sources) == 1:
                raise
            failures.append(f"{name}: {error}")
    return results, failures


def floor_and_direct(source: DiagnosisSource, cases: Cases, resamples: int) -> Iterator[MethodScores]:
    """Yield the scores, on labelled cases, of always answering ES, and of the model's own answers to Task 7."""
    floor = score_answers(cases, np.ones((1, len(cases))), resamples=resamples)
    n = len(cases)
    yield MethodScores(name="always ES", kind="floor", measures=floor, answered=n, n=n)
    for direct in source.direct:
        yield _direct_system(direct, source.perceived, cases, resamples)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Evaluation:
    """The evaluation of one source by all classifiers, fitted on predictions and on annotations."""

    source: DiagnosisSource
    cases: Cases
    truths: Cases
    folds: Sequence[Numbers]
    settings: DiagnosisSettings
    cache: FitCache

    def run(self) -> tuple[list[MethodScores], list[Findings], list[str]]:
        """Return the systems in the order of the table, the findings, and messages of what could not be fitted."""
        systems = list(floor_and_direct(self.source, self.cases, self.settings.resamples))
        ceilings: list[MethodScores] = []
        findings: list[Findings] = []
        failures: list[str] = []
        for fitted_on in FITTED_ON:
            try:
                for classifier in self.settings.classifiers:
                    repeats = self._repeats(classifier, fitted_on)
                    systems.append(self._system(classifier, fitted_on, repeats, self.cases, "two-stage"))
                    findings.append(self._findings(classifier, fitted_on, repeats))
                    if fitted_on == "annotations":
                        # The same classifiers on true signs: the best that perfect answers could reach.
                        ceilings.append(self._system(classifier, fitted_on, repeats, self.truths, "ceiling"))
            except UsageError as error:
                failures.append(f"not fitted on {fitted_on}: {error}")
        return systems + ceilings, findings, failures

    def _repeats(self, classifier: str, fitted_on: str) -> Sequence[Repeat]:
        if fitted_on == "predictions":
            self._require_predictions()
            return self._fit(self.cases, classifier)
        learn = self.source.annotated.of_signs(self.cases.signs)
        people = (self.cases.videos, tuple(self.cases.patients.tolist()), learn.videos)
        # With the data set: the annotations of another one may be of videos and patients with the same ids.
        folds = tuple(tuple(fold_numbers.tolist()) for fold_numbers in self.folds)
        key = (classifier, self.source.origin, learn.signs, people, folds)
        return self.cache.get_or_fit(key, lambda: self._fit(learn, classifier))

    def _fit(self, learn: Cases, classifier: str) -> Sequence[Repeat]:
        seed = self.settings.seed
        # A seed of its own for each repeat, or a forest would be the same in all of them.
        return [cross_fit(learn, self.cases, folds, classifier, seed + n) for n, folds in enumerate(self.folds)]

    def _require_predictions(self) -> None:
        # Folds are of all cases: those without answers can leave a fold with nothing to learn from.
        answered = self.cases.take(self.cases.is_answered)
        if self.settings.folds.isdigit():
            require_patients(answered, int(self.settings.folds))
        elif len(held_out_masks(self.folds[0])) < 2:
            raise UsageError(
                f"all videos with predictions are of one fold ({self.cases.splits[0]}), so no video is left to fit a "
                "classifier on; use --folds 5, or predictions of all folds (--part full)"
            )

    def _system(
        self, classifier: str, fitted_on: str, repeats: Sequence[Repeat], cases: Cases, kind: str
    ) -> MethodScores:
        out_of_fold = diagnose_out_of_fold(repeats, cases)
        measures = score_probabilities(cases, out_of_fold, resamples=self.settings.resamples)
        answered = float(np.isfinite(out_of_fold.says_es).sum() / len(repeats))
        title = classifier.replace("_", " ")
        name = f"{title}, true signs" if kind == "ceiling" else f"{title}, fitted on {fitted_on}"
        return MethodScores(
            name=name,
            kind=kind,
            measures=measures,
            answered=answered,
            n=len(cases),
            classifier=classifier,
            fitted_on=fitted_on,
        )

    def _findings(self, classifier: str, fitted_on: FittedOn, repeats: Sequence[Repeat]) -> Findings:
        probability = diagnose_out_of_fold(repeats, self.cases).probability.mean(axis=0)
        resamples = self.settings.resamples
        return Findings(
            classifier=classifier,
            fitted_on=fitted_on,
            influences=tuple(influences(repeats, self.cases, resamples=resamples)),
            curve=tuple(calibration_curve(self.cases, probability, resamples=resamples)),
            choices=tuple(choice_of(fold.fitted) for folds in repeats for fold in folds),
            explanations=tuple(explain(repeats, self.cases)),
            flips=tuple(flips(repeats, self.cases, self.truths)),
        )


def choice_of(fitted: Fitted) -> Choice:
    """Return the setting, threshold and rules of a fitted classifier."""
    rules = load_classifier(fitted.classifier).rules(fitted.parameters, fitted.encoder.titles())
    return Choice(fitted.setting, fitted.threshold, tuple(rules))


def _folds(cases: Cases, settings: DiagnosisSettings) -> list[Numbers]:
    """Return the folds of each repeat; there is a single repeat with the data set's own folds."""
    if settings.folds.isdigit():
        return [deal_folds(cases, int(settings.folds), settings.seed + n) for n in range(settings.repeats)]
    # Fixed folds need no repeats: these would differ by the classifiers' seeds alone.
    return [folds_of_splits(cases, settings.folds)]


def _require_labels(source: DiagnosisSource, cases: Cases) -> None:
    if not len(cases):
        raise UsageError(
            f"{source.name}: its videos have no diagnosis, because it has no Task-7 items; name its data set "
            "(--data DIR), or run the model with --tasks 1,7"
        )
    require_both_classes(cases)


def _same_videos(annotated: Cases, cases: Cases) -> Cases:
    places = {video: number for number, video in enumerate(annotated.videos)}
    return annotated.take([places[video] for video in cases.videos])


def _direct_system(direct: DirectAnswers, perceived: Cases, cases: Cases, resamples: int) -> MethodScores:
    # Scored on the requested videos alone: a run may have asked Task 7 about fewer than Task 1.
    chosen = np.isin(np.array(perceived.videos), cases.videos) & direct.is_requested
    requested, says_es = perceived.take(chosen), direct.says_es[chosen]
    measures = score_answers(requested, says_es[None, :], resamples=resamples)
    name = DIRECT_NAMES.get(direct.subject, f"own answer, {direct.subject}")
    answered = float(np.isfinite(says_es).sum())
    return MethodScores(name=name, kind="direct", measures=measures, answered=answered, n=len(requested))


def _notes(source: DiagnosisSource, cases: Cases) -> Iterator[str]:
    """Yield notes about the cases for the reader of the results."""
    unlabelled, unanswered = len(source.perceived) - len(cases), int((~cases.is_answered).sum())
    if unlabelled:
        is_one = unlabelled == 1
        yield f"{unlabelled} {'video' if is_one else 'videos'} without a diagnosis {'is' if is_one else 'are'} left out"
    if unanswered:
        yield f"{unanswered} of {len(cases)} videos have no answer about any sign; their diagnosis counts as wrong"
    never = [s for s, values in zip(cases.signs, cases.vectors.T, strict=True) if not (values >= 0.5).any()]
    if never:
        yield f"signs that the answers never report, and so without evidence: {', '.join(never)}; see the Task-1 scores"
    if not source.direct:
        yield "no Task-7 answers to compare with; run the model with --tasks 1,7"
